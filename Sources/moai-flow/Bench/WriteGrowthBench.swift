import MoaiCRDT
import MoaiFlow

/// What one write costs the core, among more and more keys that are there.
struct WriteGrowthBench: BenchRound {
  static let sizes = ChangesBench.sizes
  private static let writes = 50_000

  private let size: Int
  private let core: SwarmState
  private let entries: [Entry]

  init(size: Int) throws {
    var core = SwarmState(epoch: Epoch(1))
    let author = try AgentID("writer")
    let names = try (0..<size).map { try StateKey(BenchKeys.name($0)) }
    func entry(_ id: Int, _ key: Int) -> Entry {
      let write = KeyWrite(key: names[key], content: .operations([.assign(StateValue(BenchKeys.value(key, id)))]))
      return Entry(
        author: author, id: CommandID(high: 0, low: UInt64(id)), requestHash: 0, command: .state(.write([write])))
    }
    for number in 0..<size {
      _ = core.apply(
        entry(number, number), revision: core.revision + 1, appendedAt: .benchStart, payloadHash: 1)
    }
    var random = BenchRandom(seed: 12)
    self.size = size
    self.core = core
    entries = (0..<WriteGrowthBench.writes).map { entry(size + $0, random.below(size)) }
  }

  func measure() throws -> [BenchRow] {
    var core = core
    // The first writes pay for the copy of what the rounds share.
    for entry in entries.prefix(1_000) {
      _ = core.apply(entry, revision: core.revision + 1, appendedAt: .benchStart, payloadHash: 1)
    }
    let measured = entries.dropFirst(1_000)
    let seconds = BenchTime.ofThread {
      for entry in measured {
        _ = core.apply(entry, revision: core.revision + 1, appendedAt: .benchStart, payloadHash: 1)
      }
    }
    try BenchFailure.check(core.revision, is: Revision(size + entries.count), "one write, revision")
    return [
      BenchRow("write", "one assignment among \(size) keys", "ns", seconds / Double(measured.count) * 1e9)
    ]
  }
}
