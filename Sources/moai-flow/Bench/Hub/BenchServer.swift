import Foundation

/// A server as a process of its own, on a free port.
final class BenchServer {
  private let process = Process()
  let port: Int

  init(_ arguments: [String]) throws {
    process.executableURL = DemoProcess.executable
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { line.append(byte) }
    let text = String(decoding: line, as: UTF8.self)
    guard let port = text.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw BenchFailure(reason: "the server did not start: \(text)")
    }
    self.port = port
  }

  deinit { stop() }

  static func hub(_ folder: String) throws -> BenchServer {
    try BenchServer(["serve", "--data", folder, "--port", "0", "--log-level", "error"])
  }

  func stop() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Bytes of memory that the process has in use.
  func memory() throws -> Int {
    let ps = Process()
    ps.executableURL = URL(fileURLWithPath: "/bin/ps")
    ps.arguments = ["-o", "rss=", "-p", "\(process.processIdentifier)"]
    let output = Pipe()
    ps.standardOutput = output
    try ps.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    ps.waitUntilExit()
    guard let kibibytes = Int(text.filter(\.isNumber)) else { throw BenchFailure(reason: "ps said \(text)") }
    return kibibytes << 10
  }
}
