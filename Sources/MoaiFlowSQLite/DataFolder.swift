import Foundation
import MoaiFlow

/// The folder that a store lives in.
enum DataFolder {
  /// Makes the folder, and those above it, if they are not there.
  ///
  /// - Throws: `.readOnly` if it cannot be made or written, `.invalid` if something else is in its place.
  static func make(_ folder: String) throws(JournalError) {
    guard mkdir(folder, 0o755) != 0 else { return try sync(parent(of: folder)) }
    switch errno {
    case EEXIST:
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
        throw .invalid("\(folder) is a file, not a folder")
      }
      guard access(folder, W_OK | X_OK) == 0 else { throw JournalError(errno: errno, path: folder) }
    case ENOENT where parent(of: folder) != folder && !folder.isEmpty:
      try make(parent(of: folder))
      guard mkdir(folder, 0o755) == 0 else { throw JournalError(errno: errno, path: folder) }
      try sync(parent(of: folder))
    case let code:
      throw JournalError(errno: code, path: folder)
    }
  }

  /// Makes the names in a folder durable, or a file.
  static func sync(_ folder: String) throws(JournalError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw JournalError(errno: errno, path: folder) }
    defer { close(descriptor) }
    // Some file systems know no sync of a folder and say so.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw JournalError(errno: errno, path: folder) }
  }

  private static func parent(of folder: String) -> String {
    let parent = (folder as NSString).deletingLastPathComponent
    return parent.isEmpty ? "." : parent
  }
}
