import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("resolve")
struct ResolveTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  private static func document(_ value: Int, by agent: String) -> String {
    #"[{"state_key":"n","value":\#(value),"version":1,"timestamp":"2025-11-29T10:00:00Z","agent_id":"\#(agent)"}]"#
  }

  @Test("with --lines each line is answered before the next one is sent")
  func linesAreAnsweredOneByOne() throws {
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = try MoaiFlowProcess.program()
    process.arguments = ["resolve", "--strategy", "lww", "--lines"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    for number in 1...3 {
      input.fileHandleForWriting.write(Data((ResolveTests.document(number, by: "a") + "\n").utf8))
      let answer = try JSONParser().parse([UInt8](output.fileHandleForReading.availableData))
      #expect(answer["value"] == .int(Int64(number)))
    }
    input.fileHandleForWriting.write(Data("nonsense\n".utf8))
    let refusal = try JSONParser().parse([UInt8](output.fileHandleForReading.availableData))
    #expect(refusal["error"] != nil)
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 2)
  }

  @Test("§3.3 an error is one line that names the field, and exit code 2")
  func errorsNameTheField() throws {
    try moai("resolve", "--strategy", "crdt", input: Array(#"{"state_key":"k","versions":[]}"#.utf8))
      .expectStatus(2, errors: "resolve: ")
    let negative = ResolveTests.document(1, by: "a").replacingOccurrences(of: #""version":1"#, with: #""version":-1"#)
    try moai("resolve", "--strategy", "lww", input: Array(negative.utf8)).expectStatus(2, errors: "/0/version")
  }

  @Test("§3.7 the example of the interfaces gives 250")
  func theExampleGives250() throws {
    let versions = [100, 150].enumerated().map { index, value in
      ResolveTests.document(value, by: "agent-\(index + 1)").dropFirst().dropLast()
        .replacingOccurrences(of: "}", with: #","metadata":{"crdt_type":"counter"}}"#)
    }
    let answer = try moai("resolve", "--strategy", "crdt", input: Array("[\(versions.joined(separator: ","))]".utf8))
    answer.expectSuccess()
    #expect(try answer.json()["value"] == 250)
    #expect(try answer.json()["agent_id"] == "coordinator")
  }
}

extension MoaiFlowProcess.Answer {
  fileprivate func expectStatus(_ status: Int32, errors text: String) {
    #expect(self.status == status && errors.contains(text) && output.isEmpty, "\(self)")
    #expect(errors.filter(\.isNewline).count == 1)
  }
}
