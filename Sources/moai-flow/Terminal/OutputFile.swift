import Foundation
import MoaiFlow

/// Where lines go: standard output, or a file that appears under its name when it is complete.
final class OutputFile {
  /// Bytes that wait for one write.
  private static let bufferSize = 256 * 1024

  private let path: String?
  private let handle: FileHandle
  private var buffer: [UInt8] = []

  private var draft: String? { path.map { $0 + ".part" } }

  /// - Parameter path: nil for standard output.
  init(path: String?) throws(Failure) {
    self.path = path
    guard let path else {
      handle = .standardOutput
      return
    }
    let draft = path + ".part"
    guard FileManager.default.createFile(atPath: draft, contents: nil), let file = FileHandle(forWritingAtPath: draft)
    else { throw Failure(.engine, "\(draft) cannot be written: \(String(cString: strerror(errno)))") }
    handle = file
  }

  func write(_ json: StateValue) throws(Failure) {
    buffer.append(contentsOf: JSONWriter.bytes(json, style: .spaced))
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= OutputFile.bufferSize { try flush() }
  }

  /// Makes a file durable and gives it its name, in place of another one of that name.
  func finish() throws(Failure) {
    try flush()
    guard let path, let draft else { return }
    do {
      try handle.synchronize()
      try handle.close()
    } catch {
      throw cannotWrite(error)
    }
    guard rename(draft, path) == 0 else {
      throw Failure(.engine, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  /// Removes what was written to a file so far.
  func abandon() {
    if let draft { unlink(draft) }
  }

  private func flush() throws(Failure) {
    do {
      try handle.write(contentsOf: Data(buffer))
    } catch {
      throw cannotWrite(error)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func cannotWrite(_ error: any Error) -> Failure {
    Failure(.engine, "\(path ?? "standard output") cannot be written: \(error.localizedDescription)")
  }
}
