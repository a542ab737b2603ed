import MoaiCRDT
import Testing

@testable import MoaiFlow

/// Exactly once (architecture, "The journal"): the same command id answers the first outcome.
@Suite struct RememberedCommandTests {
  private static let day: Int64 = 24 * 60 * 60 * 1000

  private func increment(_ key: String = "c") throws -> Command {
    .state(.write([KeyWrite(key: try StateKey(key), content: .operations([.increment(1)]))]))
  }

  private let id = CommandID(high: 1, low: 1)

  @Test("§10.1 the same id again answers the first outcome and changes nothing")
  func repeatAnswersTheFirstOutcome() throws {
    var harness = CoreHarness()
    let first = harness.apply(try increment(), by: "alice", id: id)
    try harness.write("c", .increment(10), by: "bob")
    let second = harness.apply(try increment(), by: "alice", id: id)
    #expect(!first.isRepeat)
    #expect(second.isRepeat)
    #expect(second.result == first.result)
    #expect(second.revision == 1)
    #expect(harness.value("c") == 11)
    #expect(harness.changes.last == [])
  }

  @Test("a refusal is remembered like any outcome")
  func refusalsAreRemembered() throws {
    var harness = CoreHarness()
    let conditional = Command.state(
      .write([KeyWrite(key: try StateKey("c"), content: .operations([.increment(1)]), condition: 1)]))
    let first = harness.apply(conditional, by: "alice", id: id)
    #expect(first.result == .refused(.state(.conditionFailed(try StateKey("c"), current: 0))))
    try harness.write("c", .increment(1), by: "bob")
    let second = harness.apply(conditional, by: "alice", id: id)
    #expect(second.isRepeat)
    #expect(second.result == first.result)
    #expect(harness.value("c") == 1)
  }

  @Test("the same id for another request is a mismatch and leaves the first outcome remembered")
  func otherRequestIsAMismatch() throws {
    var harness = CoreHarness()
    harness.apply(try increment(), by: "alice", id: id, hash: 1)
    let other = harness.apply(try increment("d"), by: "alice", id: id, hash: 2)
    #expect(other.result == .refused(.idempotencyMismatch))
    #expect(harness.value("d") == nil)
    #expect(harness.apply(try increment(), by: "alice", id: id, hash: 1).isRepeat)
  }

  @Test("ids of two agents do not meet")
  func idsAreScopedToTheAgent() throws {
    var harness = CoreHarness()
    harness.apply(try increment(), by: "alice", id: id)
    #expect(!harness.apply(try increment(), by: "bob", id: id).isRepeat)
    #expect(harness.value("c") == 2)
  }

  @Test("an id is forgotten 24 hours of journal time later, not a millisecond earlier")
  func idsAreForgottenAfterADay() throws {
    var harness = CoreHarness()
    harness.apply(try increment(), by: "alice", id: id)
    harness.now += Self.day - 1
    #expect(harness.apply(try increment(), by: "alice", id: id).isRepeat)
    harness.now += 1
    #expect(!harness.apply(try increment(), by: "alice", id: id).isRepeat)
    #expect(harness.value("c") == 2)
    #expect(harness.apply(try increment(), by: "alice", id: id).isRepeat)
    #expect(harness.replayed().chain == harness.core.chain)
  }

  @Test("time that stands still or goes back at the engine forgets nothing")
  func clockGoingBackForgetsNothing() throws {
    var harness = CoreHarness()
    harness.apply(try increment(), by: "alice", id: id)
    harness.now -= 10 * Self.day
    try harness.write("d", .increment(1), by: "bob")
    #expect(harness.apply(try increment(), by: "alice", id: id).isRepeat)
  }

  @Test("of each agent the newest 10,000 are remembered")
  func theOldestBeyondTheLimitIsForgotten() throws {
    var harness = CoreHarness()
    harness.apply(try increment(), by: "alice", id: id)
    harness.apply(try increment(), by: "bob", id: id)
    for _ in 1..<RememberedCommands.perAgent { harness.applyFast(.increment(1), to: "c", by: "alice") }
    #expect(harness.apply(try increment(), by: "alice", id: id).isRepeat)
    harness.applyFast(.increment(1), to: "c", by: "alice")
    #expect(!harness.apply(try increment(), by: "alice", id: id).isRepeat)
    #expect(harness.apply(try increment(), by: "bob", id: id).isRepeat)
    #expect(harness.core.remembered.count == RememberedCommands.perAgent + 1)
  }

  @Test("of commands of many keys as many are remembered as fit into 8 MiB, and the newest in any case")
  func manyKeysAreBoundedInBytes() throws {
    let names = (0..<200).map { "\($0)-" + String(repeating: "k", count: 500) }
    let command = Command.state(
      .write(try names.map { KeyWrite(key: try StateKey($0), content: .operations([.increment(1)])) }))
    var harness = CoreHarness()
    var outcomes: [Outcome] = []
    for number in UInt64(0)..<100 {
      outcomes.append(harness.apply(command, by: "alice", id: CommandID(high: 1, low: number)))
    }
    let remembered = harness.core.remembered.count
    // Each takes about 200 × 510 bytes.
    #expect(80...83 ~= remembered)
    let oldest = 100 - remembered
    let again = harness.apply(command, by: "alice", id: CommandID(high: 1, low: UInt64(oldest)))
    #expect(again.isRepeat)
    #expect(again.result == outcomes[oldest].result)
    #expect(!harness.apply(command, by: "alice", id: CommandID(high: 1, low: UInt64(oldest - 1))).isRepeat)
    #expect(harness.replayed().chain == harness.core.chain)
  }
}
