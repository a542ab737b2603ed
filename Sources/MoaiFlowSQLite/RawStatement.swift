import GRDB
import GRDBSQLite

/// A cached statement that is stepped at the C level: about 1 µs a row, where GRDB's rows and arguments cost 5.
///
/// A column of another type than the STRICT tables declare, in a damaged file, reads as 0 or as no bytes, and no checksum
/// fits that.
struct RawStatement {
  private let statement: Statement
  private let connection: OpaquePointer?
  private var handle: OpaquePointer { statement.sqliteStatement }

  init(_ db: Database, _ sql: String) throws {
    statement = try db.cachedStatement(sql: sql)
    connection = db.sqliteConnection
  }

  /// Runs a statement that returns no rows.
  func run(_ bind: (borrowing RawStatement) throws -> Void) throws {
    defer { reset() }
    try bind(self)
    while try step() {}
  }

  /// Runs a query; `row` returns whether it wants another row.
  func query(_ bind: (borrowing RawStatement) throws -> Void, row: (borrowing RawStatement) throws -> Bool) throws {
    defer { reset() }
    try bind(self)
    while try step() {
      guard try row(self) else { return }
    }
  }

  /// The arguments count from 1.
  func bind(_ number: Int64, at index: CInt) throws {
    try check(sqlite3_bind_int64(handle, index, number))
  }

  func bind(_ text: String, at index: CInt) throws {
    try check(sqlite3_bind_text(handle, index, text, -1, Self.copied))
  }

  func bind(_ bytes: [UInt8], at index: CInt) throws {
    let code = bytes.withUnsafeBytes { bytes in
      // An empty buffer may have no address, and binding no address binds NULL.
      bytes.isEmpty
        ? sqlite3_bind_zeroblob(handle, index, 0)
        : sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
    }
    try check(code)
  }

  /// The columns count from 0.
  func int64(_ column: CInt) -> Int64 {
    sqlite3_column_int64(handle, column)
  }

  func isNull(_ column: CInt) -> Bool {
    sqlite3_column_type(handle, column) == SQLITE_NULL
  }

  /// The bytes of a column, without a copy; they are gone after the closure.
  func withBytes<Result>(_ column: CInt, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let address = sqlite3_column_blob(handle, column)
    return body(UnsafeRawBufferPointer(start: address, count: byteCount(column)))
  }

  func bytes(_ column: CInt) -> [UInt8] {
    withBytes(column) { Array($0) }
  }

  func byteCount(_ column: CInt) -> Int {
    Int(sqlite3_column_bytes(handle, column))
  }

  private func step() throws -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: true
    case SQLITE_DONE: false
    case let code: throw error(code)
    }
  }

  private func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  private func check(_ code: CInt) throws {
    guard code == SQLITE_OK else { throw error(code) }
  }

  private func error(_ code: CInt) -> DatabaseError {
    DatabaseError(
      resultCode: ResultCode(rawValue: code), message: connection.map { String(cString: sqlite3_errmsg($0)) })
  }

  /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
  private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}
