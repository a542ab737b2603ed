/// A store that can copy itself into one file while it is used.
public protocol BackupStore: JournalStore {
  /// Copies everything committed so far into one new file at `path`, while writers go on.
  ///
  /// - Throws: `.invalid` if there is such a file already; a failure leaves none.
  func writeBackup(to path: String) async throws(JournalError)
}
