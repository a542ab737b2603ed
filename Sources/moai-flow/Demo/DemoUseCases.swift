import MoaiCRDT
import MoaiFlow
import MoaiFlowClient

/// What swarms keep losing elsewhere: a stale whole value, a task queue, a request counter, a configuration, and an
/// agent that was away.
struct DemoUseCases {
  func run(on swarm: HubSwarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    try await staleWrite(swarm, stage, ledger)
    try await originalUseCases(swarm, stage, ledger)
    try await agentThatWasAway(swarm, stage, ledger)
  }

  /// Alice writes a whole map back that she read before Bob changed it.
  private func staleWrite(_ swarm: HubSwarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("A stale whole-value write keeps what it did not touch")
    let alice = try swarm.join(as: "alice")
    let bob = try swarm.join(as: "bob")
    let key = "demo/profile"
    try await alice.state.set(key, to: ["colour": "red", "retries": 3, "debug": true], type: .map)
    let read = try await alice.state.read(key)
    stage.line("alice reads", DemoLedger.text(read?.value))
    try await bob.state.put(5, field: "retries", in: key)
    stage.line("bob puts retries = 5", DemoLedger.text(try await swarm.state.read(key)?.value))
    try await alice.state.set(key, to: ["colour": "blue", "retries": 3], base: read?.cursor)
    let after = try await swarm.state.read(key)?.value
    stage.line("alice writes blue, no debug", DemoLedger.text(after))
    stage.note("bob's 5 stays: alice had not changed that field")
    ledger.check("stale write: both changes are there", after, equals: ["colour": "blue", "retries": 5])
  }

  private func originalUseCases(_ swarm: HubSwarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("A task queue, a request counter, a configuration: two agents each")
    let one = try swarm.join(as: "worker-1")
    let two = try swarm.join(as: "worker-2")
    for task in ["task-1", "task-2"] { try await one.state.add(.string(.init(task)), to: "demo/queue") }
    let seen = try await two.state.read("demo/queue")?.cursor
    try await one.state.add("task-3", to: "demo/queue")
    try await two.state.remove("task-1", from: "demo/queue", base: seen)
    let queue = try await swarm.state.read("demo/queue")?.value
    stage.line("queue, adds and remove cross", DemoLedger.text(queue))
    ledger.check("task queue", queue, equals: ["task-2", "task-3"])

    try await one.state.increment("demo/served", by: 100)
    try await two.state.increment("demo/served", by: 150)
    let served = try await swarm.state.read("demo/served")?.value
    stage.line("counter: 100 and 150", DemoLedger.text(served))
    ledger.check("request counter", served, equals: 250)

    try await one.state.set("demo/limits", to: ["timeout": 30, "retries": 3], type: .map)
    try await two.state.set("demo/limits", to: ["timeout": 60, "max_conn": 100])
    let limits = try await swarm.state.read("demo/limits")?.value
    stage.line("two maps, field by field", DemoLedger.text(limits))
    ledger.check("configuration map", limits, equals: ["timeout": 60, "retries": 3, "max_conn": 100])
  }

  private func agentThatWasAway(_ swarm: HubSwarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("An agent was away and takes only what changed")
    var mirror = StateMirror()
    let copied = try await catchUp(&mirror, in: swarm)
    let busy = try swarm.join(as: "busy")
    for round in 1...50 {
      try await busy.state.increment("demo/served")
      try await busy.state.put(.int(Int64(round)), field: "round", in: "demo/limits")
      try await busy.state.add(.string(.init("late-\(round)")), to: "demo/tasks")
    }
    try await busy.state.delete("demo/queue")
    let missed = try await catchUp(&mirror, in: swarm)
    let whole = try await fullCopy(of: swarm)
    stage.line("its first copy", "\(copied.keys) keys, \(copied.bytes.grouped) bytes")
    stage.line("after 151 writes, the delta", "\(missed.keys) keys, \(missed.bytes.grouped) bytes")
    stage.line("a full copy instead", "\(whole.values.count) keys, \(whole.bytes.grouped) bytes")
    ledger.check(
      "away agent: its copy is the state", isTrue: mirror.values == whole.values,
      mirror.values == whole.values ? "equal" : "different")
    ledger.check("away agent: delta is smaller", isTrue: missed.bytes < whole.bytes, "\(missed.bytes) bytes")
  }

  /// Brings a mirror up to date, page by page; counts what came.
  private func catchUp(_ mirror: inout StateMirror, in swarm: HubSwarm) async throws -> (keys: Int, bytes: Int) {
    var keys = 0
    var bytes = 0
    var start: ChangesStart? = mirror.start
    while let since = start {
      let page = try await swarm.state.changes(ChangesQuery(since: since))
      try mirror.apply(page)
      keys += page.changes.count
      bytes += JSONWriter.bytes(page.json(as: .delta)).count
      start = page.next.map { .page($0) }
    }
    return (keys, bytes)
  }

  private func fullCopy(of swarm: HubSwarm) async throws -> (values: [StateKey: StateValue], bytes: Int) {
    var whole = StateMirror()
    var bytes = 0
    var start: ChangesStart? = .beginning
    while let since = start {
      let page = try await swarm.state.changes(ChangesQuery(since: since, asValues: true))
      try whole.apply(page)
      bytes += JSONWriter.bytes(page.json(as: .value)).count
      start = page.next.map { .page($0) }
    }
    return (whole.values, bytes)
  }
}

extension DemoLedger {
  /// A value as text for a line of the demo.
  static func text(_ value: StateValue?) -> String {
    value.map { JSONWriter.text($0) } ?? "absent"
  }
}
