import Foundation
import Testing

/// The bugs that the simulator is known to find (docs/Simulation.md). Planting them takes an hour and is for `make bugs`;
/// that they can still be planted is checked here.
@Suite struct PlantedBugsTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let hasPython = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].contains {
    FileManager.default.isExecutableFile(atPath: $0 + "/python3")
  }

  @Test("§10.1 every planted bug still applies, and the document lists it", .enabled(if: hasPython))
  func patchesApply() throws {
    #expect(try PlantedBugsTests.run("--check") == "")
  }

  @Test("what the tool says is what simulate says", .enabled(if: hasPython))
  func toolChecksItself() throws {
    #expect(try PlantedBugsTests.run("--self-check") == "")
  }

  /// What `Tools/plant-bugs` complains about.
  private static func run(_ argument: String) throws -> String {
    let process = Process()
    process.executableURL = root.appending(path: "Tools/plant-bugs")
    process.arguments = [argument]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let written = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: written, as: UTF8.self)
  }
}
