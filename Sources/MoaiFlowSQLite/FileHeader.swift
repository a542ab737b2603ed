import Foundation
import MoaiFlow

/// The first 100 bytes of an SQLite file, read without SQLite: to open a file means to write beside it, and another
/// program's file is none of our business.
///
/// The layout is that of "Database File Format", section 1.3, on sqlite.org.
struct FileHeader {
  private let bytes: [UInt8]
  private let fileSize: Int64

  /// - Throws: `.failed` if the file cannot be read, `.notOurs` if it is something else than a file.
  init(path: String) throws(JournalError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("\(path) cannot be read: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .notOurs("\(path) is not a file")
    }
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 else { throw .failed("\(path) cannot be read: \(String(cString: strerror(errno)))") }
    bytes = Array(buffer[..<count])
    fileSize = Int64(status.st_size)
  }

  /// - Throws: `.notOurs` or `.damaged`, naming the file.
  func check(path: String, isLogEmpty: Bool) throws(JournalError) {
    guard !bytes.isEmpty else { throw .damaged("\(path) is empty") }
    guard bytes.starts(with: Array("SQLite format 3\0".utf8).prefix(bytes.count)) else {
      throw .notOurs("\(path) is not an SQLite database")
    }
    guard bytes.count == 100 else { throw .damaged("\(path) is truncated: it has \(bytes.count) bytes") }
    let application = Int32(bitPattern: number(at: 68))
    guard application == Schema.applicationID else {
      throw .notOurs("\(path) belongs to another program (application id \(application))")
    }
    let version = Int32(bitPattern: number(at: 60))
    guard version <= Schema.version else { throw FileHeader.newer(version: version, path: path) }
    guard version > 0 else { throw .damaged("\(path) has version \(version), which no release wrote") }
    // The page count is kept current while the two counters agree. Pages that are still in the log may be missing here.
    let pages = Int64(number(at: 28))
    if isLogEmpty, number(at: 24) == number(at: 92), fileSize < pages * pageSize {
      throw .damaged("\(path) is truncated: \(fileSize) of \(pages * pageSize) bytes are there")
    }
  }

  static func newer(version: Int32, path: String) -> JournalError {
    .notOurs("\(path) has version \(version) of the format; this program reads up to version \(Schema.version)")
  }

  private var pageSize: Int64 {
    let stored = Int64(bytes[16]) << 8 | Int64(bytes[17])
    return stored == 1 ? 65_536 : stored
  }

  private func number(at offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
