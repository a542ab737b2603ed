import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("faults of the folder: one line that names it, exit code 3 (check: 1), nothing changed")
struct FaultTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess
  private let marker = "marker-that-stands-nowhere-else"

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "set", "k", marker, "--string").expectSuccess()
  }

  private var file: String { moai.folder + "/swarms.sqlite" }

  private func replaceDatabase(_ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file))
  }

  /// Flips a bit wherever the marker stands in the file.
  private func damageMarkers() throws -> [UInt8] {
    var bytes = try database(in: folder)
    let pattern = Array(marker.utf8)
    var found = 0
    for start in 0...(bytes.count - pattern.count) where bytes[start] == pattern[0] {
      guard bytes[start..<start + pattern.count].elementsEqual(pattern) else { continue }
      bytes[start + 3] ^= 1
      found += 1
    }
    try #require(found > 0)
    try replaceDatabase(bytes)
    return bytes
  }

  @Test("a folder that another process holds can be read, not written; the error names the holder")
  func lockedFolder() async throws {
    let store = try await SQLiteStore(folder: moai.folder)
    let holder = "process \(ProcessInfo.processInfo.processIdentifier)"
    try moai("state", "set", "k", "2").expectFailure(3, holder)
    try moai("swarms", "create", "s").expectFailure(3, holder)
    try moai("swarms", "delete", "default", "--yes").expectFailure(3, holder)
    try moai("state", "get", "k").expectSuccess("\"\(marker)\"\n")
    try moai("check").expectSuccess()
    try await store.close()
    try moai("state", "set", "k", "2").expectSuccess("2\n")
  }

  @Test("what cannot be made or written is named")
  func unwritableFolder() throws {
    try moai("state", "set", "k", "1", "--data", "/proc/moai-flow").expectFailure(3, "/proc/moai-flow")
    let occupied = try folder.file("occupied", [])
    try moai("state", "set", "k", "1", "--data", occupied).expectFailure(2, "is a file, not a folder")
    try moai("state", "set", "k", "1", "--data", "").expectFailure(2, "--data is empty")
  }

  @Test("a folder without the right to write is read, and a write says so", .enabled(if: geteuid() != 0))
  func readOnlyFolder() throws {
    try #require(chmod(moai.folder, 0o500) == 0)
    defer { chmod(moai.folder, 0o700) }
    let before = try content(in: folder)
    try moai("state", "get", "k").expectSuccess()
    try moai("state", "set", "k", "2").expectFailure(3, "cannot be written")
    #expect(try content(in: folder) == before)
  }

  @Test("an entry with a flipped bit is named by its revision, and what does not need it goes on")
  func corruptEntry() throws {
    // Written over, the marker stands in the entry alone.
    try moai("state", "set", "k", "2").expectSuccess()
    let damaged = try damageMarkers()
    let check = try moai("check", "--json")
    #expect(check.status == 1)
    let report = try check.json()
    #expect(report["ok"] == false)
    #expect(report["problems"]?.arrayValue?.count == 1)
    #expect(report["problems"]?.arrayValue?[0].stringValue?.contains("entry 1 is corrupt") == true)
    #expect(report["swarms"]?.arrayValue?[0]["revision"] == 0)
    let text = try moai("check")
    #expect(text.status == 1)
    #expect(text.output.hasPrefix("default\t0\t"))
    #expect(text.errors.contains("swarm \"default\": entry 1 is corrupt"))
    try moai("log").expectFailure(3, "revision 1")
    try moai("state", "get", "k", "--at", "1").expectFailure(3, "revision 1")
    try moai("export", folder.path + "/out").expectFailure(3, "revision 1")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.part"))
    try moai("state", "get", "k").expectSuccess("2\n")
    #expect(try content(in: folder) == Array(damaged.dropFirst(100)))
  }

  @Test("a damaged entry behind intact ones: those are shown, then it is named")
  func corruptEntryInTheMiddle() throws {
    try moai("state", "set", "k", "2").expectSuccess()
    // Not the marker with something behind it: any byte may stand behind the one in the first entry.
    let second = "the-second-" + marker
    try moai("state", "set", "j", second, "--string").expectSuccess()
    try moai("state", "set", "j", "3").expectSuccess()
    var bytes = try database(in: folder)
    let pattern = Array(second.utf8)
    for start in 0...(bytes.count - pattern.count) where bytes[start..<start + pattern.count].elementsEqual(pattern) {
      bytes[start] ^= 1
    }
    try replaceDatabase(bytes)
    let log = try moai("log")
    #expect(log.status == 3)
    #expect(log.lines.map { $0.split(separator: "\t").first } == ["1", "2"])
    #expect(log.errors.contains("revision 3"))
    let report = try moai("check", "--json").json()
    #expect(report["swarms"]?.arrayValue?[0]["revision"] == 2)
    #expect(report["problems"]?.arrayValue?[0].stringValue?.contains("entry 3 is corrupt") == true)
  }

  @Test("a checkpoint with a flipped bit is noticed by whoever reads it")
  func corruptCheckpoint() throws {
    let damaged = try damageMarkers()
    try moai("state", "get", "k").expectFailure(3, "swarms.sqlite")
    try moai("state", "set", "k", "2").expectFailure(3, "swarms.sqlite")
    #expect(try moai("check").status == 1)
    #expect(try content(in: folder) == Array(damaged.dropFirst(100)))
  }

  @Test("a truncated file is refused as it is", arguments: [0, 50, 4096, 12_000])
  func truncatedFile(length: Int) throws {
    let cut = Array(try database(in: folder).prefix(length))
    try replaceDatabase(cut)
    try moai("state", "set", "k", "2").expectFailure(3, file)
    try moai("state", "get", "k").expectFailure(3, file)
    let check = try moai("check")
    #expect(check.status == 1)
    #expect(check.errors.contains(file))
    #expect(try database(in: folder) == cut)
  }

  @Test("another program's file is left alone")
  func anotherProgramsFile() throws {
    var foreign = try database(in: folder)
    foreign.replaceSubrange(68..<72, with: [0, 0, 0, 42])
    for (bytes, text) in [(foreign, "belongs to another program"), (Array("hello, world\n".utf8), "is not an SQLite")] {
      try replaceDatabase(bytes)
      for command in [["state", "set", "k", "2"], ["state", "get", "k"], ["check"], ["swarms", "list"]] {
        try moai.run(command).expectFailure(3, text)
      }
      #expect(try database(in: folder) == bytes)
    }
  }

  #if os(Linux)
    @Test("an output that is full is an error, not an empty success")
    func fullOutput() throws {
      let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
      let answer = try moai.run(["state", "get", "k"], output: full)
      answer.expectFailure(3, "standard output cannot be written")
      try moai.run(["export"], output: full).expectFailure(3, "standard output cannot be written")
    }

    @Test("an argument that is no UTF-8 is refused: mended, it would be another key")
    func argumentsThatAreNoUTF8() throws {
      // Swift's Process mends its arguments, a shell's printf does not.
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/sh")
      shell.arguments = [
        "-c", #""$0" state set "$(printf 'a\377')" 1 --data "$1" --agent a 2>&1"#, try MoaiFlowProcess.program().path,
        moai.folder,
      ]
      let output = Pipe()
      shell.standardOutput = output
      try shell.run()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 2)
      #expect(text == "moai-flow: argument 3 is no valid UTF-8\n")
    }
  #endif
}
