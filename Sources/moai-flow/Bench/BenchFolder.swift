import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// A new folder for one benchmark, gone afterwards.
enum BenchFolder {
  static func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("moai-flow-bench-\(UInt32.random(in: .min ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
  }
}

extension Swarm {
  /// A swarm in memory that holds nothing yet and saves no checkpoints.
  static func forBench() async throws -> Swarm {
    let store = InMemoryStore(
      now: { Int64(Date().timeIntervalSince1970 * 1000) }, newEpoch: { Epoch(UInt64.random(in: .min ... .max)) })
    var options = SwarmOptions()
    options.checkpointEntries = .max
    options.checkpointBytes = .max
    return try await Swarm.open(in: store, options: options)
  }

  /// Assigns a text to each key of `range`, 1,000 keys an entry.
  func fill(_ range: Range<Int>, with text: (Int) -> String) async throws {
    let writer = try await join(as: "filler").state
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1_000) {
      _ = try await writer.perform(
        (start..<Swift.min(start + 1_000, range.upperBound)).map { number in
          WriteRequest(try StateKey(BenchKeys.name(number)), .value(StateValue(text(number))))
        })
    }
  }
}

enum BenchKeys {
  /// Ten bytes for numbers below a million.
  static func name(_ number: Int) -> String { "key-" + number.digits(6) }

  /// A value of 100 bytes that begins with what makes it differ from others.
  static func value(_ number: Int, _ round: Int = 0) -> String {
    let head = "v-\(number)-\(round)-"
    return head + String(repeating: "x", count: Swift.max(0, 100 - head.utf8.count))
  }
}
