import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// A data folder, opened for as long as one command needs it.
///
/// Reading takes no lock: it works beside a process that holds the folder, and on a folder that cannot be written.
struct DataFolder {
  let path: String

  /// Opens the store for reading.
  func reading<Result>(_ body: (SQLiteStore) async throws -> Result) async throws -> Result {
    try requireExistence()
    return try await closing(try await SQLiteStore(readingFrom: path), body)
  }

  func requireExistence() throws(Failure) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure(.usage, "\(path) does not exist; the first write to it makes it, or 'moai-flow swarms create'")
    }
  }

  /// Opens the store for writing; makes the folder, with the swarm `default`, if it is not there.
  func writing<Result>(_ body: (SQLiteStore) async throws -> Result) async throws -> Result {
    try await closing(try await SQLiteStore(folder: path), body)
  }

  private func closing<Result>(
    _ store: SQLiteStore, _ body: (SQLiteStore) async throws -> Result
  ) async throws -> Result {
    let result: Result
    do {
      result = try await body(store)
    } catch {
      try? await store.close()
      throw error
    }
    try await store.close()
    return result
  }
}

extension DataFolder {
  /// Opens one swarm for reading.
  func reading<Result>(
    _ name: SwarmName, _ body: (Swarm) async throws -> Result
  ) async throws -> Result {
    try await reading { store in try await body(try await Swarm.openAside(name, in: store)) }
  }

  /// Opens one swarm for writing. What was answered is durable before the checkpoint at the end, so that one may fail.
  func writing<Result>(
    _ name: SwarmName, _ body: (Swarm) async throws -> Result
  ) async throws -> Result {
    try await writing { store in
      let swarm = try await Swarm.open(name, in: store, createIfMissing: false)
      let result: Result
      do {
        result = try await body(swarm)
      } catch {
        try? await swarm.close()
        throw error
      }
      try? await swarm.close()
      return result
    }
  }
}

extension TargetOptions {
  /// Opens the swarm's journal in the data folder, for reading.
  func readingJournal<Result>(_ body: (any Journal) async throws -> Result) async throws -> Result {
    let name = try swarmName()
    return try await DataFolder(path: try folder()).reading { store in
      try await body(try await store.open(name))
    }
  }
}

extension Swarm {
  /// Attempts at a checkpoint that stays what it is while it is read. Another process saves one every few thousand
  /// entries, so the second attempt finds one that does.
  private static let attempts = 10

  /// Opens a swarm that another process may be writing: its checkpoint is read in pages, and must not have been replaced
  /// meanwhile.
  fileprivate static func openAside(_ name: SwarmName, in store: SQLiteStore) async throws -> Swarm {
    let journal = try await store.open(name)
    for _ in 1..<attempts {
      let before = try await journal.checkpoint()
      let opened: Result<Swarm, any Error>
      do {
        opened = .success(try await Swarm.open(name, in: store, createIfMissing: false))
      } catch {
        opened = .failure(error)
      }
      if try await journal.checkpoint() == before { return try opened.get() }
    }
    return try await Swarm.open(name, in: store, createIfMissing: false)
  }
}
