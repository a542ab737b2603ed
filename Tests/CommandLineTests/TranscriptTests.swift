import Foundation
import Testing

/// Runs the transcripts of `docs/CommandLine.md`, in order, in one folder.
@Suite("docs/CommandLine.md says what happens")
struct TranscriptTests {
  private struct Step {
    let command: String
    var output: String
  }

  @Test("every command prints what the page says, but for times, hashes and ids")
  func transcriptsAreTrue() throws {
    let folder = try TemporaryFolder()
    let steps = try Self.steps()
    #expect(steps.count > 25)
    let program = try MoaiFlowProcess.program()
    for step in steps {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = ["-c", step.command]
      shell.currentDirectoryURL = URL(fileURLWithPath: folder.path)
      shell.environment = [
        "PATH": program.deletingLastPathComponent().path + ":/usr/bin:/bin", "MOAI_FLOW_DATA": "./swarm-data",
        "MOAI_FLOW_AGENT": "alice",
      ]
      let output = Pipe()
      shell.standardOutput = output
      shell.standardError = output
      shell.standardInput = FileHandle.nullDevice
      try shell.run()
      let printed = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      shell.waitUntilExit()
      #expect(Self.comparable(printed) == Self.comparable(step.output), "$ \(step.command)")
    }
  }

  private static func steps() throws -> [Step] {
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/CommandLine.md"), encoding: .utf8)
    var steps: [Step] = []
    var isTranscript = false
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        isTranscript = line == "```console"
      } else if isTranscript, line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2)), output: ""))
      } else if isTranscript {
        steps[steps.count - 1].output += line + "\n"
      }
    }
    return steps
  }

  private static func comparable(_ text: String) -> String {
    text.replacing(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/, with: "TIME")
      .replacing(/\b([0-9a-f]{32}|[0-9a-f]{16})\b/, with: "HASH")
      .replacing(/\t[0-9a-f]{8}\t/, with: "\tID\t")
  }
}
