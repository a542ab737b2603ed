import Foundation
import Testing

@Suite("the Python client") struct PythonClientTests {
  @Test(
    "§10.1 the Python client passes its tests against real hubs, that are killed too",
    .enabled(if: PythonClientTests.python != nil, "python3 was not found, so the Python client was NOT tested"),
    .timeLimit(.minutes(5)))
  func unitTests() throws {
    let process = Process()
    process.executableURL = PythonClientTests.python
    process.arguments = ["-B", "-m", "unittest", "-q"]
    process.currentDirectoryURL = PythonClientTests.folder
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["MOAI_FLOW": try MoaiFlowProcess.program().path]
    ) { $1 }
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
    #expect(said.contains("Ran "), "\(said)")
  }

  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("clients/python")

  private static let python: URL? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { URL(fileURLWithPath: String($0)).appendingPathComponent("python3") }
    .first { FileManager.default.isExecutableFile(atPath: $0.path) }
}
