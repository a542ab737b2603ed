import MoaiCRDT
import MoaiFlow
import Synchronization

/// The machine's clock as processes see it: simulated time, plus what somebody has set it forward or back.
final class WallClock: Sendable {
  /// 2026-01-01T00:00:00Z.
  private static let birth: Int64 = 1_767_225_600_000

  private let skew = Mutex<Int64>(0)
  private let clock = SimulatedClock()

  init() {}

  /// Milliseconds since 1970.
  var now: Int64 { WallClock.birth + clock.milliseconds + skew.withLock { $0 } }

  func jump(by milliseconds: Int64) {
    skew.withLock { $0 += milliseconds }
  }
}

/// Epochs and command ids from a seed.
final class SeededIDs: Sendable {
  private let random: Mutex<SplitMix64>

  init(seed: UInt64) {
    random = Mutex(SplitMix64(seed: seed))
  }

  func epoch() -> Epoch { Epoch(random.withLock { $0.next() }) }
  func replicaID() -> ReplicaID { ReplicaID(random.withLock { $0.next() }) }
  func commandID() -> CommandID { random.withLock { CommandID(using: &$0) } }
}
