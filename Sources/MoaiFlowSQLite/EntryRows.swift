import GRDB
import MoaiFlow

/// A swarm as its row names it.
struct SwarmRow: Sendable {
  let id: Int64
  let name: SwarmName
  let epoch: Epoch
}

/// The end of a swarm's log: what the next entry follows on.
struct Tail: Sendable {
  var head: Revision
  var checksum: UInt64
}

/// The chain of checksums over a swarm's entries. Each entry's covers the one before it, so that a changed byte, a
/// missing row and rows out of order all break the chain at the first entry concerned.
enum EntryChecksum {
  /// What the first entry follows on.
  static func root(of epoch: Epoch) -> UInt64 {
    StableHash(seed: epoch.rawValue).finalize()
  }

  static func of(
    revision: Revision, appendedAt: Int64, payload: UnsafeRawBufferPointer, after previous: UInt64
  ) -> UInt64 {
    var hash = StableHash(seed: previous)
    hash.combine(revision)
    hash.combine(appendedAt)
    hash.combine(bytes: payload)
    return hash.finalize()
  }
}

/// The rows of the table `entry`.
enum EntryRows {
  /// Pages are cut here whatever the caller asks for.
  static let largestPage = (entries: 65_536, bytes: 64 << 20)
  /// Larger entries are refused; it keeps a page, a transaction and a blob within memory.
  static let largestPayload = 64 << 20

  static func checkSize(_ payload: [UInt8]) throws(JournalError) {
    guard payload.count <= largestPayload else {
      throw .invalid("an entry has \(payload.count) bytes, at most \(largestPayload)")
    }
  }

  /// The end of the log, by one look-up in the tree.
  static func tail(of swarm: SwarmRow, in db: Database) throws -> Tail {
    var tail = try horizon(of: swarm, in: db)
    let query = try RawStatement(
      db, "SELECT place, checksum FROM entry WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1")
    // Rows behind the horizon are leftovers of a trim.
    try query.query {
      try $0.bind(Place.of(swarm: swarm.id, revision: tail.head + 1), at: 1)
      try $0.bind(Place.of(swarm: swarm.id, revision: Place.largestRevision), at: 2)
    } row: { row in
      tail = Tail(head: Place.revision(of: row.int64(0)), checksum: UInt64(bitPattern: row.int64(1)))
      return false
    }
    return tail
  }

  /// What the first kept entry follows on.
  ///
  /// - Throws: `.noSuchSwarm` if the row is gone.
  static func horizon(of swarm: SwarmRow, in db: Database) throws -> Tail {
    var horizon: Tail?
    try RawStatement(db, "SELECT horizon, horizonChecksum FROM swarm WHERE id = ?").query {
      try $0.bind(swarm.id, at: 1)
    } row: { row in
      horizon = Tail(head: row.int64(0), checksum: UInt64(bitPattern: row.int64(1)))
      return false
    }
    guard let horizon else { throw JournalError.noSuchSwarm(swarm.name) }
    return horizon
  }

  /// Makes the kept checkpoint at `floor` the horizon; runs inside the caller's transaction. What lies behind it is not
  /// visible from then on; ``Leftovers`` removes it.
  static func trim(_ swarm: SwarmRow, to floor: Revision, path: String, in db: Database) throws {
    var kept = try CheckpointRows.kept(of: swarm, path: path, in: db)
    guard try kept.trim(to: floor) else { return }
    // The entry at the floor is what the next one follows on, so it is read and checked once more.
    guard try page(of: swarm, after: floor - 1, entryLimit: 1, byteLimit: 0, in: db).first != nil else {
      throw JournalError.corrupt(revision: floor, "it is missing; a checkpoint stands at it")
    }
    try SwarmRows.setHorizon(
      Tail(head: floor, checksum: try storedChecksum(at: floor, of: swarm, in: db)), of: swarm, in: db)
    try CheckpointRows.dropHeaders(of: swarm, before: floor, in: db)
  }

  private static func storedChecksum(at revision: Revision, of swarm: SwarmRow, in db: Database) throws -> UInt64 {
    var checksum: UInt64 = 0
    try RawStatement(db, "SELECT checksum FROM entry WHERE place = ?").query {
      try $0.bind(Place.of(swarm: swarm.id, revision: revision), at: 1)
    } row: { row in
      checksum = UInt64(bitPattern: row.int64(0))
      return false
    }
    return checksum
  }

  /// Inserts entries after `tail` and moves it.
  static func insert(
    _ entries: some Sequence<(appendedAt: Int64, payload: [UInt8])>, of swarm: SwarmRow, after tail: inout Tail,
    in db: Database
  ) throws {
    let insert = try RawStatement(
      db, "INSERT INTO entry (place, appendedAt, checksum, payload) VALUES (?, ?, ?, ?)")
    for (appendedAt, payload) in entries {
      guard tail.head < Place.largestRevision else {
        throw JournalError.full("swarm \"\(swarm.name)\" has no revisions left")
      }
      tail.head += 1
      tail.checksum = payload.withUnsafeBytes {
        EntryChecksum.of(revision: tail.head, appendedAt: appendedAt, payload: $0, after: tail.checksum)
      }
      try insert.run {
        try $0.bind(Place.of(swarm: swarm.id, revision: tail.head), at: 1)
        try $0.bind(appendedAt, at: 2)
        try $0.bind(Int64(bitPattern: tail.checksum), at: 3)
        try $0.bind(payload, at: 4)
      }
    }
  }

  /// Entries after `revision`, each checked against the one before it, which is read along.
  static func page(
    of swarm: SwarmRow, after revision: Revision, entryLimit: Int, byteLimit: Int, in db: Database
  ) throws -> [JournalEntry] {
    var tail = try horizon(of: swarm, in: db)
    guard revision >= tail.head else {
      throw JournalError.trimmed(horizon: tail.head)
    }
    guard revision < Place.largestRevision else { return [] }
    let entryLimit = min(max(1, entryLimit), largestPage.entries)
    let byteLimit = min(byteLimit, largestPage.bytes)
    /// Whether `tail` is already what the first entry of the page follows on.
    var isAnchored = revision == tail.head
    if !isAnchored { tail.head = revision - 1 }

    var page: [JournalEntry] = []
    var bytes = 0
    let query = try RawStatement(
      db,
      """
      SELECT place, appendedAt, checksum, payload FROM entry WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?
      """)
    try query.query {
      try $0.bind(Place.of(swarm: swarm.id, revision: tail.head + 1), at: 1)
      try $0.bind(Place.of(swarm: swarm.id, revision: Place.largestRevision), at: 2)
      try $0.bind(Int64(entryLimit) + (isAnchored ? 0 : 1), at: 3)
    } row: { row in
      let found = Place.revision(of: row.int64(0))
      guard found == tail.head + 1 else {
        // After a revision past the end nothing is found at all, so what is not found here is missing.
        throw JournalError.corrupt(revision: tail.head + 1, "it is missing; the next one found is \(found)")
      }
      let checksum = UInt64(bitPattern: row.int64(2))
      guard isAnchored else {
        isAnchored = true
        tail = Tail(head: found, checksum: checksum)
        return true
      }
      bytes += row.byteCount(3)
      guard page.isEmpty || bytes <= byteLimit else { return false }
      let appendedAt = row.int64(1)
      let expected = row.withBytes(3) {
        EntryChecksum.of(revision: found, appendedAt: appendedAt, payload: $0, after: tail.checksum)
      }
      guard checksum == expected else {
        throw JournalError.corrupt(revision: found, "its checksum does not match what is stored")
      }
      page.append(JournalEntry(revision: found, appendedAt: appendedAt, payload: row.bytes(3)))
      tail = Tail(head: found, checksum: checksum)
      return true
    }
    return page
  }
}
