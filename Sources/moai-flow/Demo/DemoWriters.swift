import MoaiCRDT
import MoaiFlow
import Synchronization

/// Writers of every type at once: a counter, a set, a map and registers, each agent keeping its own books.
struct DemoWriters {
  let agents: Int
  let seconds: Double

  /// What one agent knows was acknowledged.
  private struct Books: Sendable {
    var increments = 0
    var added: [StateValue] = []
    var field: StateValue?
    var own: StateValue?
    var writes = 0
  }

  func run(on swarm: Swarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("\(agents) agents write at once: a counter, a set, a map, registers")
    let total = Tally()
    let end = ContinuousClock.now + .seconds(seconds)
    let start = ContinuousClock.now
    let books = try await withThrowingTaskGroup(of: (String, Books).self) { group in
      for number in 1...agents {
        group.addTask {
          let name = "agent-\(number)"
          return (name, try await write(as: try await swarm.join(as: name), until: end, total))
        }
      }
      group.addTask {
        while ContinuousClock.now < end {
          stage.progress("acknowledged", total.count.grouped)
          try await Task.sleep(for: .milliseconds(100))
        }
        return ("", Books())
      }
      var books: [String: Books] = [:]
      for try await (name, own) in group where !name.isEmpty { books[name] = own }
      return books
    }
    let elapsed = start.duration(to: .now).seconds
    let writes = books.values.reduce(0) { $0 + $1.writes }
    stage.line("acknowledged, on disk", "\(writes.grouped) writes, \(Int(Double(writes) / elapsed).grouped)/s")
    try await check(books, in: swarm, ledger)
  }

  private func write(as member: SwarmMember, until end: ContinuousClock.Instant, _ total: Tally) async throws
    -> Books
  {
    var books = Books()
    let name = member.agent.description
    var round = 0
    while ContinuousClock.now < end {
      round += 1
      switch round % 4 {
      case 0:
        try await member.state.increment("demo/requests")
        books.increments += 1
      case 1 where books.added.count < 500:
        let element = StateValue.string(UTF8String("\(name)-task-\(round)"))
        try await member.state.add(element, to: "demo/tasks")
        books.added.append(element)
      case 2:
        try await member.state.put(.int(Int64(round)), field: name, in: "demo/config")
        books.field = .int(Int64(round))
      default:
        try await member.state.set("demo/status/\(name)", to: .int(Int64(round)))
        books.own = .int(Int64(round))
      }
      books.writes += 1
      total.add()
    }
    return books
  }

  private func check(_ books: [String: Books], in swarm: Swarm, _ ledger: DemoLedger) async throws {
    let increments = books.values.reduce(0) { $0 + $1.increments }
    ledger.check(
      "counter: sum of all increments", try await swarm.state.read("demo/requests")?.value,
      equals: .int(Int64(increments)))
    let added = books.values.flatMap(\.added).sorted()
    let tasks = try await swarm.state.read("demo/tasks")?.value
    var elements = 0
    if case .array(let some)? = tasks { elements = some.count }
    ledger.check("set: every element added", elements, equals: added.count)
    ledger.check("set: exactly those", isTrue: tasks == .array(added), tasks == .array(added) ? "equal" : "different")
    var lostFields = 0
    var lostRegisters = 0
    let config = try await swarm.state.read("demo/config")?.value
    for (name, own) in books {
      if let field = own.field, config?[name] != field { lostFields += 1 }
      if let status = own.own, try await swarm.state.read("demo/status/\(name)")?.value != status { lostRegisters += 1 }
    }
    ledger.check("map: fields that are not their last write", lostFields, equals: 0)
    ledger.check("registers that are not their last write", lostRegisters, equals: 0)
  }
}

/// A count that many tasks add to.
private final class Tally: Sendable {
  private let total = Atomic(0)

  var count: Int { total.load(ordering: .relaxed) }

  func add() {
    total.wrappingAdd(1, ordering: .relaxed)
  }
}
