import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Synchronization
import Testing

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

/// The error that `work` is refused with; records an issue if it is not refused.
func refusal(
  of work: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> JournalError? {
  do {
    try await work()
    Issue.record("it was accepted", sourceLocation: sourceLocation)
  } catch let error as JournalError {
    return error
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
  return nil
}

extension JournalError {
  /// What `.damaged`, `.notOurs`, `.readOnly`, `.invalid`, `.failed` and `.uncertain` say.
  var kindAndText: (kind: String, text: String) {
    switch self {
    case .damaged(let text): ("damaged", text)
    case .notOurs(let text): ("notOurs", text)
    case .readOnly(let text): ("readOnly", text)
    case .invalid(let text): ("invalid", text)
    case .failed(let text): ("failed", text)
    case .uncertain(let text): ("uncertain", text)
    case .full(let text): ("full", text)
    default: ("other", description)
    }
  }

  var corruptRevision: Revision? {
    if case .corrupt(let revision, _) = self { revision } else { nil }
  }
}
