import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("skip: going on without an entry that cannot be read")
struct SkipCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  /// Entries 1 to 3, of which the second is damaged. Its value was written over, so that it stands in the entry alone.
  private func damageSecondEntry() throws {
    let marker = Array("marker-that-stands-nowhere-else".utf8)
    for value in ["1", "\"\(String(decoding: marker, as: UTF8.self))\"", "3"] {
      try moai("state", "set", "k", value, "--type", "register").expectSuccess()
    }
    var bytes = try database(in: folder)
    for start in 0...(bytes.count - marker.count) where bytes[start..<start + marker.count].elementsEqual(marker) {
      bytes[start + 3] ^= 1
    }
    try Data(bytes).write(to: URL(fileURLWithPath: moai.folder + "/swarms.sqlite"))
  }

  @Test("a dry run says what would be lost and changes nothing; --yes does it, and the log keeps the reason")
  func damagedEntry() throws {
    try damageSecondEntry()
    let before = try content(in: folder)
    let dry = try moai("skip", "2", "--reason", "torn")
    #expect(dry.status == 1)
    #expect(dry.output.hasPrefix("entry 2: its checksum does not match what is stored\n"))
    #expect(dry.output.contains("alice: k: whole register"))
    #expect(dry.output.contains("checkpoints that go with it: 3"))
    #expect(dry.errors.contains("nothing was changed"))
    let json = try moai("skip", "2", "--json")
    #expect(json.status == 1)
    #expect(
      try json.json().fieldNames
        == ["bytes", "checkpoints", "problem", "reads_as", "revision", "skipped", "swarm"])
    #expect(try content(in: folder) == before)
    try moai("skip", "2", "--yes").expectFailure(2, "--reason")
    #expect(try moai("skip", "2", "--reason", "torn", "--yes", "--json").json()["skipped"] == true)
    try moai("check").expectSuccess()
    let log = try moai("log")
    #expect(log.lines.count == 3)
    #expect(log.lines[1].contains("operator\t") && log.lines[1].contains("skipped an entry: torn\tapplied"))
    try moai("state", "get", "k").expectSuccess("3\n")
    try moai("state", "incr", "n").expectSuccess("1\n")
    try moai("skip", "2", "--reason", "again", "--yes").expectFailure(1, "is intact")
  }

  @Test("check says what can be done; giving up the history instead keeps what the entry did")
  func adviceOfCheck() throws {
    try damageSecondEntry()
    let check = try moai("check")
    #expect(check.status == 1)
    #expect(check.errors.contains("'moai-flow swarms trim default' gives up the history and keeps the values"))
    #expect(try moai("check", "--json").json()["advice"]?.arrayValue?.count == 1)
    try moai("swarms", "trim", "default", "--yes").expectSuccess()
    try moai("check").expectSuccess()
    try moai("state", "get", "k").expectSuccess("3\n")
  }

  @Test("without a checkpoint behind it only skipping is left, and check names the command")
  func adviceWithoutCheckpoint() async throws {
    try moai("swarms", "create", "s").expectSuccess()
    let store = try await SQLiteStore(folder: moai.folder)
    let journal = try await store.open(try SwarmName("s"))
    _ = try await journal.append([[0xFF, 1, 2, 3]])
    try await store.close()
    let check = try moai("check")
    #expect(check.status == 1)
    #expect(check.errors.contains("'moai-flow skip 1 --swarm s'"))
    try moai("state", "incr", "n", "--swarm", "s").expectFailure(3, "revision 1")
    // It is as it was written: another version may know it.
    try moai("skip", "1", "--swarm", "s").expectFailure(1, "--even-if-intact")
    try moai("skip", "1", "--swarm", "s", "--reason", "r", "--yes").expectFailure(1, "--even-if-intact")
    #expect(try moai("skip", "1", "--swarm", "s", "--even-if-intact").output.contains("its 4 bytes cannot be read"))
    try moai("skip", "1", "--swarm", "s", "--even-if-intact", "--reason", "garbage", "--yes").expectSuccess()
    try moai("state", "incr", "n", "--swarm", "s").expectSuccess("1\n")
    try moai("check").expectSuccess()
    // What can be read is never skipped.
    try moai("skip", "2", "--swarm", "s", "--even-if-intact", "--reason", "r", "--yes").expectFailure(1, "is intact")
  }

  @Test("what is not there, and a folder that is held, are named")
  func refusals() async throws {
    try moai("skip", "1").expectFailure(2, "does not exist")
    try moai("state", "incr", "n").expectSuccess()
    try moai("skip", "7").expectFailure(2, "there is no entry 7")
    try moai("skip", "0").expectFailure(2, "revisions from 1 on")
    try moai("skip", "1", "--swarm", "nobody").expectFailure(1, "no swarm")
    let store = try await SQLiteStore(folder: moai.folder)
    try moai("skip", "1", "--reason", "r", "--yes").expectFailure(3, "process ")
    try await store.close()
  }
}
