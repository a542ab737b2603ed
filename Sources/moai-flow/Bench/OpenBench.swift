import MoaiFlow
import MoaiFlowSQLite

/// W8: how long it takes to open a folder: a checkpoint of many live keys, and entries after it.
struct OpenBench {
  let keys: Int
  /// Entries after the checkpoint.
  let tail: Int

  func run() async throws -> [BenchRow] {
    try await BenchFolder.withFolder { folder in
      let written = try await fill(folder)
      var seconds: [Double] = []
      for _ in 0..<3 {
        let clock = ContinuousClock()
        let start = clock.now
        let store = try await SQLiteStore(folder: folder)
        let swarm = try await Swarm.open(in: store)
        seconds.append((clock.now - start).seconds)
        let status = try await swarm.status()
        try BenchFailure.check(status.keys, is: keys, "open, keys")
        try BenchFailure.check(status.chain, is: written.chain, "open, chain hash")
        try await store.close()
      }
      return [
        BenchRow(
          "W8", "open \(keys) live keys and a tail of \(tail) entries (wall clock)", "s", seconds.median,
          target: "≤ 2")
      ]
    }
  }

  private func fill(_ folder: String) async throws -> SwarmStatus {
    var store = try await SQLiteStore(folder: folder)
    var swarm = try await Swarm.open(in: store)
    try await swarm.fill(0..<keys) { "value-\($0)" }
    try await swarm.close()
    try await store.close()
    // The second process ends without closing its swarm, so what it wrote stays behind the checkpoint.
    store = try await SQLiteStore(folder: folder)
    swarm = try await Swarm.open(in: store)
    let writer = try await swarm.join(as: "writer").state
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<tail {
        group.addTask { _ = try await writer.set(BenchKeys.name(number), to: "changed") }
      }
      try await group.waitForAll()
    }
    let status = try await swarm.status()
    try await store.close()
    return status
  }
}
