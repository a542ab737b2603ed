import MoaiCRDT
import MoaiFlow

/// W8: the pure core applies a million journal entries, counters, sets, maps and registers mixed, over 100,000 keys
/// with 10-byte names.
struct CoreBench {
  let entries: Int
  let keys: Int

  func run() throws -> [BenchRow] {
    var random = BenchRandom(seed: 8)
    let agents = try (0..<100).map { try AgentID("agent-\($0)") }
    let names = try (0..<keys).map { try StateKey("key-" + String(100_000 + $0)) }
    let prepared = (0..<entries).map { index -> Entry in
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
    let payloads = prepared.map { $0.encoded() }
    var core = SwarmState(epoch: Epoch(1))
    let clock = ContinuousClock()
    let apply = clock.measure {
      for (index, entry) in prepared.enumerated() {
        _ = core.apply(
          entry, revision: Revision(index + 1), appendedAt: 1_700_000_000_000 + Int64(index / 100), payloadHash: 1)
      }
    }
    var replayed = SwarmState(epoch: Epoch(1))
    let replay = try clock.measure {
      for (index, payload) in payloads.enumerated() {
        _ = replayed.apply(
          try Entry(decoding: payload), revision: Revision(index + 1),
          appendedAt: 1_700_000_000_000 + Int64(index / 100), payloadHash: 1)
      }
    }
    guard core.chain == replayed.chain else { throw BenchFailure(reason: "replay came to another state") }
    return [
      BenchRow("W8", "apply", "entries/s", Double(entries) / apply.seconds, target: "≥ 1,000,000"),
      BenchRow("W8", "decode + apply", "entries/s", Double(entries) / replay.seconds, target: "reported"),
    ]
  }
}
