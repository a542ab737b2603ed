import Foundation
import MoaiFlow
import Synchronization

/// The lock that makes a data folder belong to one store.
///
/// An advisory `flock` on the file `swarms.lock`, held for as long as this object lives or until ``release()``. The system
/// releases it when the process ends in whatever way, so a lock never has to be removed by hand; the file stays, and what
/// stands in it says who holds, or last held, the lock. The lock belongs to this opening of the file: a second opening
/// is refused in the same process too.
final class FolderLock: Sendable {
  static let fileName = "swarms.lock"

  private let descriptor: Mutex<CInt?>

  /// - Parameter now: for the note in the file, in milliseconds since 1970.
  /// - Throws: `.locked` naming the holder, `.readOnly` if the lock file cannot be written.
  init(folder: String, now: Int64) throws(JournalError) {
    let path = folder + "/" + FolderLock.fileName
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw JournalError(errno: errno, path: path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      defer { close(descriptor) }
      guard reason == EWOULDBLOCK else { throw JournalError(errno: reason, path: path) }
      throw .locked(folder: folder, holder: FolderLock.note(in: descriptor) ?? "another process")
    }
    FolderLock.write(note: FolderLock.noteOfThisProcess(now: now), to: descriptor)
    self.descriptor = Mutex(descriptor)
  }

  deinit {
    release()
  }

  func release() {
    descriptor.withLock { descriptor in
      if let held = descriptor { close(held) }
      descriptor = nil
    }
  }

  /// The note in the file, if it reads like one; the file may hold anything.
  private static func note(in descriptor: CInt) -> String? {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    let line = buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }
    guard line.starts(with: "process ".utf8), line.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return nil }
    return String(decoding: line, as: UTF8.self)
  }

  /// The note is a courtesy to whoever is refused: a full disk must not keep the holder from working.
  private static func write(note: String, to descriptor: CInt) {
    _ = ftruncate(descriptor, 0)
    let bytes = Array(note.utf8)
    _ = pwrite(descriptor, bytes, bytes.count, 0)
  }

  private static func noteOfThisProcess(now: Int64) -> String {
    let since = Date(timeIntervalSince1970: Double(now) / 1000).formatted(.iso8601)
    let info = ProcessInfo.processInfo
    return "process \(info.processIdentifier) on \(info.hostName), since \(since)\n"
  }
}
