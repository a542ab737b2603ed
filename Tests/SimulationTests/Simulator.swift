import Foundation
import Testing

/// The `simulate` program beside these tests. Runs take a process over, so they have processes of their own.
struct Simulator {
  struct Answer {
    let status: Int32
    let lines: [String]
  }

  var environment: [String: String] = [:]

  func callAsFunction(_ arguments: String...) throws -> Answer {
    let process = Process()
    process.executableURL = try Simulator.program()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    DispatchQueue.global().asyncAfter(deadline: .now() + 120) { if process.isRunning { process.terminate() } }
    let written = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let lines = String(decoding: written, as: UTF8.self).split(separator: "\n").map(String.init)
    return Answer(status: process.terminationStatus, lines: lines)
  }

  /// The program is built into the folder that holds the tests.
  private static func program() throws -> URL {
    let folders =
      [URL(filePath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()]
      + Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }.map { $0.bundleURL.deletingLastPathComponent() }
    return try #require(
      folders.map { $0.appending(path: "simulate") }.first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "no simulate beside the tests")
  }
}
