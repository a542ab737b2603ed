import Foundation
import MoaiFlow

/// A file that the user names, or standard input for `-`.
struct InputFile {
  let path: String

  /// What the user calls it, in a message.
  var name: String { isStandardInput ? "standard input" : path }
  private var isStandardInput: Bool { path == "-" }

  var exists: Bool { FileManager.default.fileExists(atPath: path) }

  /// The whole content.
  ///
  /// - Throws: ``Failure`` if it cannot be read or has more bytes than `limit`.
  func bytes(limit: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    try chunks { chunk throws(Failure) in
      bytes.append(contentsOf: chunk)
      guard bytes.count <= limit else { throw Failure(.usage, "\(name): more than \(limit) bytes") }
    }
    return bytes
  }

  /// Calls `body` with each line, without its line feed, and its number from 1. A file that does not end with a line
  /// feed gives its last line too.
  func lines(limit: Int, _ body: ([UInt8], Int) throws(Failure) -> Void) throws(Failure) {
    var line: [UInt8] = []
    var number = 1
    try chunks { chunk throws(Failure) in
      var rest = chunk[...]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        line.append(contentsOf: rest[..<end])
        try body(line, number)
        line.removeAll(keepingCapacity: true)
        number += 1
        rest = rest[(end + 1)...]
      }
      line.append(contentsOf: rest)
      guard line.count <= limit else { throw Failure(.usage, "\(name), line \(number): more than \(limit) bytes") }
    }
    if !line.isEmpty { try body(line, number) }
  }

  /// The JSON document in the file.
  func json() throws(Failure) -> StateValue {
    let bytes = try bytes(limit: JSONLimits.default.bytes)
    do {
      return try JSONParser().parse(bytes)
    } catch {
      throw Failure(.usage, "\(name): \(error)")
    }
  }

  private func chunks(_ body: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
    let handle: FileHandle
    if isStandardInput {
      handle = .standardInput
    } else if let file = FileHandle(forReadingAtPath: path) {
      handle = file
    } else {
      throw Failure(.usage, "\(path): \(String(cString: strerror(errno)))")
    }
    while true {
      let chunk: Data?
      do {
        chunk = try handle.read(upToCount: 256 * 1024)
      } catch {
        throw Failure(.usage, "\(name) cannot be read: \(error.localizedDescription)")
      }
      guard let chunk, !chunk.isEmpty else { return }
      try body(Array(chunk))
    }
  }
}
