import GRDB

/// The tables of the file, as `docs/SQLite.md` describes them, and the steps from one version to the next.
enum Schema {
  /// "Moai" in ASCII: what tells our files from other programs'.
  static let applicationID: Int32 = 0x4D6F_6169
  static let version = Int32(steps.count)

  /// Step `n` leads from version `n` to `n + 1`. A step that was released never changes.
  private static let steps: [@Sendable (Database) throws -> Void] = [
    { try $0.execute(sql: firstTables) },
    // Version 1 was never trimmed, so its entries give again what its one checkpoint held.
    { db in
      try db.execute(sql: keptCheckpoints)
      try FirstVersion.addChecksums(in: db)
    },
  ]

  private static let firstTables = """
    CREATE TABLE swarm (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      epoch INTEGER NOT NULL UNIQUE,
      horizon INTEGER NOT NULL,
      horizonChecksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entry (
      place INTEGER PRIMARY KEY,
      appendedAt INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      payload BLOB NOT NULL
    ) STRICT;
    CREATE TABLE checkpoint (
      swarm INTEGER PRIMARY KEY,
      revision INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      header BLOB NOT NULL
    ) STRICT;
    CREATE TABLE record (
      swarm INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      id BLOB NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (swarm, kind, id)
    ) STRICT, WITHOUT ROWID;
    """

  private static let keptCheckpoints = """
    ALTER TABLE swarm ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE entry RENAME COLUMN checksum TO link;
    ALTER TABLE entry ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE seam (
      swarm INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      PRIMARY KEY (swarm, revision)
    ) STRICT, WITHOUT ROWID;
    DROP TABLE checkpoint;
    CREATE TABLE checkpoint (
      swarm INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      header BLOB NOT NULL,
      PRIMARY KEY (swarm, revision)
    ) STRICT, WITHOUT ROWID;
    DROP TABLE record;
    CREATE TABLE record (
      swarm INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      id BLOB NOT NULL,
      revision INTEGER NOT NULL,
      hasOlder INTEGER NOT NULL,
      checksum INTEGER NOT NULL,
      bytes BLOB,
      PRIMARY KEY (swarm, kind, id, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE discarded (swarm INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE backup (takenAt INTEGER NOT NULL) STRICT;
    CREATE INDEX newerVersion ON record (swarm, revision) WHERE hasOlder = 1;
    """

  /// Brings a file of an older version, or an empty one, to this version. Runs inside the caller's transaction.
  static func migrate(_ db: Database, from version: Int32) throws {
    for step in steps[Int(version)...] { try step(db) }
    try db.execute(sql: "PRAGMA user_version = \(Schema.version)")
  }
}

/// Where the entries of a swarm stand in the table `entry`: `swarm << 40 | revision`.
///
/// One integer key keeps payloads out of the inner pages of the tree and the entries of a swarm together.
enum Place {
  static let largestRevision: Int64 = 1 << 40 - 1
  static let largestSwarm: Int64 = 1 << 23 - 1

  static func of(swarm: Int64, revision: Int64) -> Int64 {
    swarm << 40 | revision
  }

  static func revision(of place: Int64) -> Int64 {
    place & largestRevision
  }
}
