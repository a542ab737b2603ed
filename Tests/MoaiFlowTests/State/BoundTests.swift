import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct BoundTests {
  private func harness(min: Int64? = 0, max: Int64? = nil) -> CoreHarness {
    var harness = CoreHarness()
    let policy = KeyPolicy(
      pattern: GlobPattern("budget*"), type: .counter, bounds: CounterBounds(minimum: min, maximum: max))
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    return harness
  }

  @Test("§4.6 whom the policy does not let write a counter reserves nothing of it")
  func reservingNeedsTheRightToWrite() throws {
    var harness = CoreHarness()
    let policy = KeyPolicy(
      pattern: GlobPattern("budget"), type: .counter, writers: [GlobPattern("alice")], bounds: CounterBounds(minimum: 0)
    )
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    try harness.write("budget", .increment(10), by: "alice")
    let key = try StateKey("budget")
    let command = Command.replica(.reserve(ReplicaID(7), key, CounterRight(down: 10)))
    #expect(
      harness.apply(command, by: "bob").result
        == .refused(.replica(.notReservable(key, "its policy does not let bob write it"))))
    try harness.write("budget", .increment(-10), by: "alice")
  }

  @Test("§4.6 spenders who do not know of each other cannot overspend together")
  func noOverspending() throws {
    var harness = harness()
    try harness.write("budget", .increment(10), by: "alice")
    var spent = 0
    for agent in ["bob", "carol", "dave"] {
      do {
        try harness.write("budget", .increment(-4), by: agent, base: 2)
        spent += 4
      } catch let refusal as Refusal {
        #expect(
          refusal
            == .state(
              .boundExceeded(
                try StateKey("budget"), sum: -2, CounterBounds(minimum: 0), reserved: CounterRight())))
      }
    }
    #expect(spent == 8)
    #expect(harness.value("budget") == 2)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test(
    "§4.6 every way to move a counter is judged: operations, whole values, shares, batches, rewinds",
    arguments: [
      .increment(-11), .increment(11), .operations([.increment(-20), .increment(5)]), .share(-1), .share(21),
    ] as [WriteRequest.Content])
  func everyWay(content: WriteRequest.Content) throws {
    var harness = harness(min: 0, max: 20)
    try harness.write("budget", .increment(10), by: "alice")
    let before = harness.core.fingerprint.records
    #expect(throws: Refusal.self) { try harness.write("budget", content, by: "alice") }
    #expect(throws: Refusal.self) { try harness.write("budget", .value(-1), by: "bob", base: 2) }
    #expect(throws: Refusal.self) {
      try harness.write(
        [WriteRequest(try StateKey("x"), .increment(1)), WriteRequest(try StateKey("budget"), content)], by: "alice")
    }
    #expect(harness.value("x") == nil)
    #expect(harness.core.fingerprint.records == before)
    #expect(throws: Never.self) {
      try harness.write("budget", .operations([.increment(-15), .increment(5)]), by: "alice")
    }
    #expect(harness.value("budget") == 0)
  }

  @Test("§4.6 a counter that a younger bound finds outside may come back, and not go further")
  func youngBound() throws {
    var harness = CoreHarness()
    try harness.write("budget", .increment(-5))
    let policy = KeyPolicy(pattern: GlobPattern("*"), bounds: CounterBounds(minimum: 0))
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    #expect(throws: Refusal.self) { try harness.write("budget", .increment(-1)) }
    try harness.write("budget", .increment(2))
    #expect(harness.value("budget") == -3)
  }

  @Test("§4.6 bounds at the ends of the 64-bit integers do not overflow")
  func extremes() throws {
    var harness = harness(min: .min, max: .max)
    try harness.write("budget", .increment(.max), by: "alice")
    #expect(throws: Refusal.self) { try harness.write("budget", .increment(1), by: "alice") }
    try harness.write("budget", .increment(.min), by: "bob")
    #expect(harness.value("budget") == -1)
  }

  @Test("§4.6 a right does not lead across a bound that others have used up while there was none")
  func boundThatWentAndCameBack() throws {
    var harness = harness()
    try harness.write("budget", .increment(10), by: "alice")
    let replica = ReplicaID(7)
    let key = try StateKey("budget")
    harness.apply(.replica(.reserve(replica, key, CounterRight(down: 10))), by: "bob")
    let bounded = harness.core.settings.settings
    harness.apply(.settings(.replace(SwarmSettings())), by: "operator")
    try harness.write("budget", .increment(-10), by: "alice")
    harness.apply(.settings(.replace(bounded)), by: "operator")
    let delta = ReplicaDelta(
      replica: replica, first: 1, base: harness.cursor, seen: VectorClock(), previousHash: 0,
      timestamp: Timestamp(milliseconds: harness.now),
      writes: [KeyWrite(key: key, content: .operations([.increment(-10)]))])
    guard case .replica(.kept(.state(.boundExceeded))) = harness.apply(.replica(.delta(delta)), by: "bob").result else {
      Issue.record("a bound was overspent")
      return
    }
    #expect(harness.value("budget") == 0)
  }

  @Test("§4.6 what is reserved for a replica is not there for others; it spends it, and closing gives it back")
  func rights() throws {
    var harness = harness()
    try harness.write("budget", .increment(10), by: "alice")
    let replica = ReplicaID(7)
    let key = try StateKey("budget")
    func reserve(_ down: Int64, _ up: Int64 = 0, by agent: String = "bob") -> Outcome.Result {
      harness.apply(.replica(.reserve(replica, key, CounterRight(down: down, up: up))), by: agent).result
    }
    #expect(reserve(6) == .replica(.reserved(CounterRight(down: 6))))
    #expect(reserve(5) == .refused(.replica(.nothingLeft(key, CounterRight(down: 4)))))
    #expect(reserve(1, 1) == .refused(.replica(.notReservable(key, "it has no maximum"))))
    #expect(reserve(1, by: "carol") == .refused(.replica(.notYours(replica, owner: try AgentID("bob")))))
    #expect(throws: Refusal.self) { try harness.write("budget", .increment(-5), by: "carol") }
    try harness.write("budget", .increment(-4), by: "carol")
    let delta = ReplicaDelta(
      replica: replica, first: 1, base: harness.cursor, seen: VectorClock(), previousHash: 0,
      timestamp: Timestamp(milliseconds: harness.now),
      writes: [KeyWrite(key: key, content: .operations([.increment(-5)]))])
    guard case .replica(.merged) = harness.apply(.replica(.delta(delta)), by: "bob").result else {
      Issue.record("a reserved right was refused")
      return
    }
    #expect(harness.value("budget") == 1)
    #expect(throws: Refusal.self) { try harness.write("budget", .increment(-1), by: "carol") }
    #expect(harness.apply(.replica(.close(replica)), by: "bob").result == .replica(.closed))
    try harness.write("budget", .increment(-1), by: "carol")
    #expect(harness.value("budget") == 0)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }
}
