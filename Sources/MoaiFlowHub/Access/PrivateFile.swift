import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Files that only their owner may read.
enum PrivateFile {
  /// Puts a file in place, whole and durable, or leaves what was there.
  static func write(_ bytes: [UInt8], to path: String) throws(HubFileError) {
    let draft = path + ".part"
    unlink(draft)
    let file = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure(draft) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
      guard count > 0 else {
        let error = failure(draft)
        close(file)
        unlink(draft)
        throw error
      }
      rest = rest.dropFirst(count)
    }
    let isSynced = fsync(file) == 0
    close(file)
    guard isSynced, rename(draft, path) == 0 else {
      let error = failure(path)
      unlink(draft)
      throw error
    }
  }

  fileprivate static func failure(_ path: String) -> HubFileError {
    HubFileError("\(path) cannot be written: \(String(cString: strerror(errno)))")
  }
}

/// One process at a time, for as long as it is held; the system releases it when a process dies.
struct FileLock {
  private let file: Int32

  init(path: String) throws(HubFileError) {
    file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw PrivateFile.failure(path) }
    guard flock(file, LOCK_EX) == 0 else {
      let error = PrivateFile.failure(path)
      close(file)
      throw error
    }
  }

  func release() { close(file) }
}

/// What tells one state of a file from another without reading it.
struct FileStamp: Equatable, Sendable {
  private let values: [Int64]

  /// A file that is not there has a stamp, too.
  init(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      values = []
      return
    }
    #if canImport(Darwin)
      let modified = status.st_mtimespec
    #else
      let modified = status.st_mtim
    #endif
    values = [Int64(status.st_ino), Int64(status.st_size), Int64(modified.tv_sec), Int64(modified.tv_nsec)]
  }
}

/// Why a file of the hub's cannot be read or written.
public struct HubFileError: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
