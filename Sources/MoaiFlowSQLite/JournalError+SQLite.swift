import Foundation
import GRDB
import MoaiFlow

/// How far a transaction had come when it failed.
enum TransactionPhase {
  /// Before COMMIT: the transaction was rolled back, nothing of it is in the file.
  case work
  /// In COMMIT: a failed write or sync may have left a commit record in the log file.
  case commit
}

extension JournalError {
  /// What an error of SQLite means to a caller. Errors that are `JournalError`s already stay as they are.
  init(_ error: any Error, path: String, phase: TransactionPhase = .work) {
    if let error = error as? JournalError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self = .failed("\(path): \(error)")
      return
    }
    let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_FULL: self = .full(path)
    case .SQLITE_READONLY: self = .readOnly(path)
    case .SQLITE_CORRUPT: self = .damaged("\(path) is damaged: \(reason)")
    case .SQLITE_NOTADB: self = .damaged("\(path) is damaged or no SQLite database: \(reason)")
    case .SQLITE_TOOBIG: self = .invalid("too large for \(path): \(reason)")
    case _ where phase == .commit: self = .uncertain("\(path): \(reason)")
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .failed("\(path) is locked by another program: \(reason)")
    default: self = .failed("\(path): \(reason)")
    }
  }

  /// What a failed system call on `path` means to a caller.
  init(errno code: CInt, path: String) {
    let reason = String(cString: strerror(code))
    switch code {
    case EACCES, EPERM, EROFS: self = .readOnly(path)
    case ENOSPC, EDQUOT: self = .full(path)
    default: self = .failed("\(path): \(reason)")
    }
  }
}
