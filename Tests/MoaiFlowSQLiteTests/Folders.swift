import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Synchronization

/// A folder for one test, removed at its end.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = NSTemporaryDirectory() + "/moaiflow-" + UUID().uuidString
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

extension SQLiteStore.Sources {
  /// Epochs 1, 2, 3, …, and a clock that moves by one at each call.
  static func counting(from start: UInt64 = 0) -> Self {
    let numbers = Counters()
    return Self(
      now: { numbers.time.wrappingAdd(1, ordering: .relaxed).newValue },
      newEpoch: { Epoch(start + numbers.epoch.wrappingAdd(1, ordering: .relaxed).newValue) })
  }

  private final class Counters: Sendable {
    let time = Atomic<Int64>(0)
    let epoch = Atomic<UInt64>(0)
  }
}
