import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// Durable writes through a swarm on SQLite, beside what the disk itself takes.
struct JournalBench {
  private struct Load {
    let writers: Int
    let requests: Int
    /// Writes in one request.
    let batch: Int
    let target: String
  }

  private static let loads = [
    Load(writers: 1, requests: 3_000, batch: 1, target: ""),
    Load(writers: 64, requests: 500, batch: 1, target: ""),
    Load(writers: 1, requests: 500, batch: 100, target: ""),
    Load(writers: 64, requests: 50, batch: 100, target: "≥ 150,000"),
  ]

  func run() async throws -> [BenchRow] {
    var rounds: [[BenchRow]] = []
    for _ in 0..<3 {
      rounds.append(
        try await BenchFolder.withFolder { folder in
          let store = try await SQLiteStore(folder: folder)
          let swarm = try await Swarm.open(in: store)
          var rows = try JournalBench.disk(in: folder)
          for load in JournalBench.loads { rows += try await JournalBench.run(load, on: swarm) }
          try await swarm.close()
          try await store.close()
          return rows
        })
    }
    return rounds[0].indices.map { row in rounds[0][row].with(value: rounds.map { $0[row].value }.median) }
  }

  private static func run(_ load: Load, on swarm: Swarm) async throws -> [BenchRow] {
    let clock = ContinuousClock()
    let before = try await swarm.status().revision
    let start = clock.now
    let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
      for writer in 0..<load.writers {
        let state = try await swarm.join(as: "agent-\(writer)").state
        group.addTask { try await JournalBench.write(load, writer: writer, as: state) }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    let seconds = (clock.now - start).seconds
    let requests = load.writers * load.requests
    try BenchFailure.check(try await swarm.status().revision, is: before + Revision(requests), "journal, revision")
    let what = "\(load.writers) writers" + (load.batch == 1 ? "" : ", \(load.batch) writes a request")
    return [
      BenchRow("journal", "durable, \(what)", "writes/s", Double(requests * load.batch) / seconds, target: load.target),
      BenchRow("journal", "durable, \(what): p50", "µs", latencies.percentile(50) * 1e6),
      BenchRow("journal", "durable, \(what): p99", "µs", latencies.percentile(99) * 1e6),
    ]
  }

  /// Writes 100-byte values and returns how long each request took, in seconds.
  private static func write(_ load: Load, writer: Int, as state: StateSynchronizer) async throws -> [Double] {
    let clock = ContinuousClock()
    var latencies: [Double] = []
    for request in 0..<load.requests {
      let writes = try (0..<load.batch).map { index in
        WriteRequest(
          try StateKey("agent-\(writer)/\(index)"), .value(StateValue(BenchKeys.value(index, request))))
      }
      let start = clock.now
      try await state.perform(writes)
      latencies.append((clock.now - start).seconds)
    }
    return latencies
  }

  /// The floor: one 4 KiB page of a file written and synchronised.
  private static func disk(in folder: String) throws -> [BenchRow] {
    let path = folder + "/floor"
    guard FileManager.default.createFile(atPath: path, contents: Data(count: 1 << 20)),
      let file = FileHandle(forUpdatingAtPath: path)
    else { throw BenchFailure(reason: "\(path) cannot be opened") }
    defer { try? file.close() }
    try file.synchronize()
    let clock = ContinuousClock()
    var latencies: [Double] = []
    for index in 0..<1_000 {
      let start = clock.now
      try file.seek(toOffset: UInt64(index % 256) * 4_096)
      try file.write(contentsOf: Data(repeating: UInt8(index % 251), count: 4_096))
      try synchronize(file)
      latencies.append((clock.now - start).seconds)
    }
    return [
      BenchRow("journal", "the disk alone, one page: p50", "µs", latencies.percentile(50) * 1e6),
      BenchRow("journal", "the disk alone, one page: p99", "µs", latencies.percentile(99) * 1e6),
    ]
  }

  private static func synchronize(_ file: FileHandle) throws {
    #if os(Linux)
      guard fdatasync(file.fileDescriptor) == 0 else { throw BenchFailure(reason: String(cString: strerror(errno))) }
    #else
      try file.synchronize()
    #endif
  }
}
