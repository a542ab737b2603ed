import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Testing

/// One process opens a data folder.
@Suite("SQLite store: the folder's lock")
struct FolderLockTests {
  @Test("a folder held by this process is refused, and the error names it")
  func heldByThisProcess() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      await expectLocked(folder, by: "process \(ProcessInfo.processInfo.processIdentifier) ")
      try await store.close()
      try await SQLiteStore(folder: folder).close()
    }
  }

  @Test("a folder held by another process is refused until that process dies, even by SIGKILL")
  func heldByAnotherProcess() async throws {
    try await withFolder { folder in
      try await SQLiteStore(folder: folder).close()
      let holder = try LockHolder(path: folder + "/swarms.lock")
      await expectLocked(folder, by: "process \(holder.process.processIdentifier) on elsewhere")
      holder.kill()
      try await SQLiteStore(folder: folder).close()
    }
  }

  @Test("a store keeps other processes out for as long as it, or a journal of it, lives")
  func keepsOthersOut() async throws {
    try await withFolder { folder in
      var store: SQLiteStore? = try await SQLiteStore(folder: folder)
      var journal: (any Journal)? = try await store?.open(.default)
      store = nil
      #expect(throws: LockHolder.Refused.self) { try LockHolder(path: folder + "/swarms.lock") }
      _ = try await journal?.append([[1]])
      journal = nil
      let holder = try LockHolder(path: folder + "/swarms.lock")
      holder.kill()
    }
  }

  @Test("what stands in the lock file is shown only if it reads like a holder")
  func noteIsNotTrusted() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      for note in ["", "\u{1B}[2Jprocess 1", "process \u{7}\n", "hello"] {
        try Data(note.utf8).write(to: URL(filePath: folder + "/swarms.lock"), options: [])
        await expectLocked(folder, by: "another process")
      }
      try await store.close()
    }
  }

  private func expectLocked(_ folder: String, by holder: String) async {
    let error = await refusal { _ = try await SQLiteStore(folder: folder) }
    guard case .locked(folder, let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.hasPrefix(holder))
  }
}

/// A child process that holds a lock file the way a store does, written in a language that is on every machine.
private struct LockHolder {
  struct Refused: Error {}

  let process = Process()
  private let input = Pipe()

  init(path: String) throws {
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/perl")
    process.arguments = [
      "-e",
      """
      open(F, "+<", $ARGV[0]) or die; unless (flock(F, 6)) { print "refused"; exit 1 }
      $| = 1; truncate(F, 0); syswrite(F, "process $$ on elsewhere\\n"); print "held"; <STDIN>
      """, path,
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let answer = output.fileHandleForReading.availableData
    guard answer == Data("held".utf8) else {
      process.waitUntilExit()
      throw Refused()
    }
  }

  func kill() {
    _ = Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }
}
