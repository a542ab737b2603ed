import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

/// The real program, run as a child process on a folder of its own.
struct MoaiFlowProcess {
  struct Answer {
    let status: Int32
    let output: String
    let errors: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as one JSON document.
    func json(_ location: SourceLocation = #_sourceLocation) throws -> StateValue {
      try #require(lines.count == 1, "\(self)", sourceLocation: location)
      return try JSONParser().parse(lines[0])
    }
  }

  let folder: String
  var environment: [String: String] = [:]

  init(_ folder: TemporaryFolder) {
    self.folder = folder.path + "/data"
    environment = ["MOAI_FLOW_DATA": self.folder, "MOAI_FLOW_AGENT": "alice", "COLUMNS": "80"]
  }

  /// Runs the program to its end.
  @discardableResult
  func callAsFunction(_ arguments: String..., input: [UInt8] = []) throws -> Answer {
    try run(arguments, input: input)
  }

  func run(_ arguments: [String], input: [UInt8] = [], output: FileHandle? = nil) throws -> Answer {
    let stdout = Pipe()
    let stderr = Pipe()
    let process = try prepare(arguments, input: input)
    process.standardOutput = output ?? stdout
    process.standardError = stderr
    try process.run()
    let written = output == nil ? try stdout.fileHandleForReading.readToEnd() : nil
    let errors = try stderr.fileHandleForReading.readToEnd()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "\(arguments) crashed")
    return Answer(
      status: process.terminationStatus, output: String(decoding: written ?? Data(), as: UTF8.self),
      errors: String(decoding: errors ?? Data(), as: UTF8.self))
  }

  /// Starts the program; its output comes line by line.
  func start(_ arguments: String...) throws -> Running {
    try start(arguments)
  }

  func start(_ arguments: [String], errors: FileHandle = .nullDevice) throws -> Running {
    let process = try prepare(arguments, input: [])
    let stdout = Pipe()
    process.standardOutput = stdout
    process.standardError = errors
    try process.run()
    // Whoever waits for a line that never comes is let go, and fails. All suites at once on two cores take minutes.
    DispatchQueue.global().asyncAfter(deadline: .now() + 600) { if process.isRunning { process.terminate() } }
    return Running(process: process, output: stdout.fileHandleForReading)
  }

  private func prepare(_ arguments: [String], input: [UInt8]) throws -> Process {
    let process = Process()
    process.executableURL = try MoaiFlowProcess.program()
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MOAI_FLOW") }
    variables.merge(environment) { $1 }
    process.environment = variables
    // A file, not a pipe: nobody waits for a program that does not read it.
    let file = NSTemporaryDirectory() + "/moai-flow-input-\(UUID().uuidString)"
    try Data(input).write(to: URL(fileURLWithPath: file))
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
    try FileManager.default.removeItem(atPath: file)
    return process
  }

  /// The program is built into the folder that holds the tests.
  static func program() throws -> URL {
    var candidates = [URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()]
    candidates += Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }
      .map { $0.bundleURL.deletingLastPathComponent() }
    return try #require(
      candidates.map { $0.appendingPathComponent("moai-flow") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "no moai-flow beside the tests")
  }

  /// A program that goes on.
  struct Running {
    let process: Process
    let output: FileHandle

    /// The next line of its output; blocks until it is there.
    func nextLine() throws -> String {
      var line: [UInt8] = []
      while let byte = try output.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") { line.append(byte) }
      return String(decoding: line, as: UTF8.self)
    }

    func waitForEnd() -> Int32 {
      process.waitUntilExit()
      return process.terminationStatus
    }
  }
}

/// A folder that is gone after the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/moai-flow-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes a file beside the data folder and returns its path.
  func file(_ name: String, _ content: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Data(content).write(to: URL(fileURLWithPath: file))
    return file
  }

  func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
  }
}

/// The database of the data folder, byte by byte.
func database(in folder: TemporaryFolder) throws -> [UInt8] {
  try folder.bytes("data/swarms.sqlite")
}

/// Everything in the database but the 100 bytes of its header, where SQLite counts who opened it for writing.
func content(in folder: TemporaryFolder) throws -> [UInt8] {
  Array(try database(in: folder).dropFirst(100))
}

extension MoaiFlowProcess.Answer {
  /// Expects one line on standard error that holds `text`, nothing on standard output, and the exit code.
  func expectFailure(_ status: Int32, _ text: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(self.status == status, "\(self)", sourceLocation: location)
    #expect(errors.contains(text), "\(self)", sourceLocation: location)
    #expect(errors.hasPrefix("moai-flow: "), "\(self)", sourceLocation: location)
    #expect(errors.hasSuffix("\n") && errors.filter(\.isNewline).count == 1, "\(self)", sourceLocation: location)
    #expect(output.isEmpty, "\(self)", sourceLocation: location)
  }

  func expectSuccess(_ output: String? = nil, _ location: SourceLocation = #_sourceLocation) {
    #expect(status == 0, "\(self)", sourceLocation: location)
    if let output { #expect(self.output == output, "\(self)", sourceLocation: location) }
  }
}

extension StateValue {
  /// The names of an object's fields, in order.
  var fieldNames: [String] { objectValue?.fields.map(\.name.string) ?? [] }
}
