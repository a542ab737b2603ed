import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("export and import")
struct ExportImportTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess
  let lines: [String]

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "incr", "n", "3").expectSuccess()
    try moai("state", "add", "n", "1").expectFailure(1, "n: it holds a counter")
    try moai("state", "set", "m", #"{"f": 1, "g": [true]}"#, "--type", "map", "--agent", "bob").expectSuccess()
    try moai("state", "put", "m", "f", "2").expectSuccess()
    try moai("state", "set", "gone", "1").expectSuccess()
    try moai("state", "delete", "gone").expectSuccess()
    lines = try moai("export").lines
  }

  private func importing(_ lines: [String], from shape: String = "e.jsonl") throws -> MoaiFlowProcess.Answer {
    let file = try folder.file(shape, Array(lines.map { $0 + "\n" }.joined().utf8))
    return try moai("import", file, "--swarm", "copy")
  }

  private static func withoutEpochs(_ output: String) -> String {
    output.replacing(/"cursor": "[0-9a-f]{16}-/, with: "\"cursor\": \"-")
  }

  @Test("an imported swarm has equal values, revisions and history, and an epoch of its own")
  func roundTrip() throws {
    let file = folder.path + "/out.jsonl"
    try moai("export", file).expectSuccess("")
    #expect(try folder.bytes("out.jsonl") == Array((lines.joined(separator: "\n") + "\n").utf8))
    let answer = try moai("import", file, "--swarm", "copy", "--json").json()
    #expect(answer.fieldNames == ["epoch", "revision", "swarm"])
    #expect(answer["revision"] == 6)
    for command in [["state", "list", "--values", "--json"], ["log", "--json"]] {
      let (original, copy) = (try moai.run(command), try moai.run(command + ["--swarm", "copy"]))
      #expect(Self.withoutEpochs(original.output) == Self.withoutEpochs(copy.output))
    }
    let original = try moai("swarms", "show", "default", "--json").json()
    #expect(original["epoch"] != answer["epoch"])
    try moai("check").expectSuccess()
    try moai("state", "incr", "n", "--swarm", "copy").expectSuccess("4\n")
    try moai("state", "get", "n").expectSuccess("3\n")
    try moai("state", "get", "n", "--swarm", "copy", "--at", try #require(original["cursor"]?.stringValue))
      .expectFailure(1, "another epoch")
  }

  @Test("the export is a header, a line for each entry, a trailer")
  func format() throws {
    let json = try lines.map { try JSONParser().parse($0) }
    #expect(json.count == 8)
    #expect(json[0].fieldNames == ["epoch", "format", "head", "swarm", "version"])
    #expect(json[0]["format"] == "moai-flow-export")
    #expect(json[0]["head"] == 6)
    #expect(json[1].fieldNames == ["appended_at", "hash", "payload", "revision"])
    #expect(json[7].fieldNames == ["chain", "count", "end", "hash"])
    #expect(json[7]["count"] == 6)
  }

  @Test("what is wrong is named with its line and field")
  func errorsNameTheLine() throws {
    let before = try content(in: folder)
    try importing([]).expectFailure(2, "e.jsonl: the file is empty")
    try importing(Array(lines.dropLast())).expectFailure(2, "truncated: it ends after entry 6")
    try importing(["{}"]).expectFailure(2, "line 1: /format: this is no export")
    try importing(["hello"]).expectFailure(2, "line 1: column 1")
    let newer = lines[0].replacingOccurrences(of: "\"version\": 1", with: "\"version\": 2")
    try importing([newer]).expectFailure(2, "line 1: /version: this program reads version 1")
    let extra = lines[1].replacingOccurrences(of: "\"revision\"", with: "\"revison\"")
    try importing([lines[0], extra]).expectFailure(2, "line 2: /revison: there is no such field")
    try importing([lines[0]] + lines[2...]).expectFailure(2, "line 2: /revision: 2 stands where 1 is expected")
    try importing(lines + ["{}"]).expectFailure(2, "line 9: something follows")
    try moai("import", "-", "--swarm", "copy").expectFailure(2, "standard input: the file is empty")
    #expect(try content(in: folder) == before)
  }

  @Test("a swarm that is there is not touched, and a bad file makes no folder")
  func existingSwarmStays() throws {
    let file = try folder.file("e.jsonl", Array(lines.map { $0 + "\n" }.joined().utf8))
    let before = try content(in: folder)
    try moai("import", file).expectFailure(1, "swarm \"default\" exists already")
    #expect(try content(in: folder) == before)
    let fresh = folder.path + "/fresh"
    try moai("import", try folder.file("bad", []), "--swarm", "s", "--data", fresh).expectFailure(2, "empty")
    #expect(!FileManager.default.fileExists(atPath: fresh))
    try moai("import", file, "--swarm", "s", "--data", fresh).expectSuccess()
  }
}
