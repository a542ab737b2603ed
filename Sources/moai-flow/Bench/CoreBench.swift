import MoaiCRDT
import MoaiFlow

/// W8: the pure core applies a million journal entries, counters, sets, maps and registers mixed, over 100,000 keys
/// with 10-byte names; then again from their bytes, as a replay does.
struct CoreBench: BenchRound {
  private let entries: [Entry]
  private let payloads: [[UInt8]]

  init(entries: Int, keys: Int) throws {
    var random = BenchRandom(seed: 8)
    let agents = try (0..<100).map { try AgentID("agent-\($0)") }
    let names = try (0..<keys).map { try StateKey("key-" + String(100_000 + $0)) }
    self.entries = (0..<entries).map { index in
      let number = random.below(keys)
      let operation: StateOperation =
        switch number % 4 {
        case 0: .increment(1)
        case 1: .add(.int(Int64(random.below(10))))
        case 2: .put(field: UTF8String("f\(random.below(10))"), .int(Int64(index)))
        default: .assign(.string(UTF8String("v-\(index)")))
        }
      return Entry(
        author: agents[random.below(100)], id: CommandID(high: 0, low: UInt64(index)), requestHash: 0,
        command: .state(.write([KeyWrite(key: names[number], content: .operations([operation]))])))
    }
    payloads = self.entries.map { $0.encoded() }
  }

  func measure() throws -> [BenchRow] {
    var core = SwarmState(epoch: Epoch(1))
    let apply = BenchTime.ofThread {
      for (index, entry) in entries.enumerated() {
        _ = core.apply(
          entry, revision: Revision(index + 1), appendedAt: CoreBench.time(ofEntry: index),
          payloadHash: CoreBench.hash(of: payloads[index]))
      }
    }
    var replayed = SwarmState(epoch: Epoch(1))
    let replay = try BenchTime.ofThread {
      for (index, payload) in payloads.enumerated() {
        _ = replayed.apply(
          try Entry(decoding: payload), revision: Revision(index + 1), appendedAt: CoreBench.time(ofEntry: index),
          payloadHash: CoreBench.hash(of: payload))
      }
    }
    try BenchFailure.check(replayed.chain, is: core.chain, "W8, chain hash of the replay")
    return [
      BenchRow("W8", "hash and apply", "entries/s", Double(entries.count) / apply, target: "≥ 1,000,000"),
      BenchRow("W8", "decode, hash and apply", "entries/s", Double(entries.count) / replay),
    ]
  }

  /// A hundred entries a millisecond.
  private static func time(ofEntry index: Int) -> Int64 { .benchStart + Int64(index / 100) }

  private static func hash(of payload: [UInt8]) -> UInt64 {
    var hash = StableHash()
    hash.combine(bytes: payload)
    return hash.finalize()
  }
}
