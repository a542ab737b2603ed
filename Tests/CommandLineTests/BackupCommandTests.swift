import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("backup and restore")
struct BackupCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("swarms", "create", "research").expectSuccess()
    for _ in 0..<3 { try moai("state", "incr", "n").expectSuccess() }
  }

  @Test(
    "§10.1 what was saved comes back under new epochs, from a file and from a folder", arguments: ["b.sqlite", "b/"])
  func thereAndBack(name: String) throws {
    let place = folder.path + "/" + name
    let saved = try moai("backup", place, "--json").json()
    #expect(saved.fieldNames == ["bytes", "file", "swarms"])
    #expect(
      saved["swarms"] == [["revision": 3, "swarm": "default"], ["revision": 0, "swarm": "research"]])
    let cursor = try #require(try moai("swarms", "show", "default", "--json").json()["cursor"]?.stringValue)
    try moai("state", "incr", "n").expectSuccess("4\n")
    let other = folder.path + "/other"
    let restored = try moai("restore", place, "--data", other, "--json").json()
    #expect(restored["folder"] == .string(UTF8String(other)))
    #expect(restored["swarms"]?.arrayValue?.map { $0["revision"] } == [3, 0])
    #expect(restored["swarms"]?.arrayValue?[0].fieldNames == ["epoch", "revision", "swarm"])
    try moai("state", "get", "n", "--data", other).expectSuccess("3\n")
    try moai("check", "--data", other).expectSuccess()
    #expect(try moai("state", "changes", "--since", cursor, "--data", other, "--json").json()["snapshot"] == true)
    try moai("state", "incr", "n", "--data", other).expectSuccess("4\n")
    try moai("state", "get", "n").expectSuccess("4\n")
  }

  @Test("a backup is made beside the process that holds the folder")
  func besideTheHolder() async throws {
    let store = try await SQLiteStore(folder: moai.folder)
    let answer = try moai("backup", folder.path + "/b.sqlite")
    answer.expectSuccess("default\t3\nresearch\t0\n")
    #expect(answer.errors.contains("saved 2 swarms as "))
    try await store.close()
  }

  @Test("nothing is replaced, and what cannot be used is named")
  func refusals() throws {
    let file = try folder.file("b.sqlite", Array("hello\n".utf8))
    try moai("backup", file).expectFailure(2, "replaces nothing")
    #expect(try folder.bytes("b.sqlite") == Array("hello\n".utf8))
    try moai("backup", "").expectFailure(2, "FILE is empty")
    try moai("backup", folder.path + "/c.sqlite", "--data", folder.path + "/none").expectFailure(2, "does not exist")
    try moai("backup", folder.path + "/none/c.sqlite").expectFailure(3, "/none/c.sqlite")
    try moai("restore", file, "--data", folder.path + "/new").expectFailure(3, "is not an SQLite database")
    try moai("restore", folder.path + "/none", "--data", folder.path + "/new").expectFailure(2, "does not exist")
    try moai("backup", folder.path + "/good.sqlite").expectSuccess()
    let before = try content(in: folder)
    try moai("restore", folder.path + "/good.sqlite").expectFailure(2, "holds swarms already")
    #expect(try content(in: folder) == before)
  }
}
