import GRDB
import MoaiFlow

/// A swarm as its row names it.
struct SwarmRow: Sendable {
  let id: Int64
  let name: SwarmName
  let epoch: Epoch
}

/// The end of a swarm's log: what the next entry follows on.
struct Tail: Sendable, Equatable {
  var head: Revision
  var link: UInt64
}

/// The two checksums of an entry: one over the entry alone, and one that links it to the entry before.
///
/// A changed byte breaks the first, whatever happened to the entry's neighbours. Rows that are missing, out of order or
/// from another history break the second.
enum EntryChecksum {
  /// What the first entry follows on.
  static func root(of epoch: Epoch) -> UInt64 {
    StableHash(seed: epoch.rawValue).finalize()
  }

  static func of(
    revision: Revision, appendedAt: Int64, payload: UnsafeRawBufferPointer, in swarm: SwarmRow
  ) -> UInt64 {
    var hash = StableHash(seed: UInt64(bitPattern: swarm.id))
    hash.combine(revision)
    hash.combine(appendedAt)
    hash.combine(bytes: payload)
    return hash.finalize()
  }

  static func link(of checksum: UInt64, after previous: UInt64) -> UInt64 {
    var hash = StableHash(seed: previous)
    hash.combine(checksum)
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
      db, "SELECT place, link FROM entry WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1")
    // Rows behind the horizon are leftovers of a trim.
    try query.query {
      try $0.bind(Place.of(swarm: swarm.id, revision: tail.head + 1), at: 1)
      try $0.bind(Place.of(swarm: swarm.id, revision: Place.largestRevision), at: 2)
    } row: { row in
      tail = Tail(head: Place.revision(of: row.int64(0)), link: UInt64(bitPattern: row.int64(1)))
      return false
    }
    return tail
  }

  /// The end of the log, unless a checkpoint shows that entries are missing there.
  ///
  /// - Throws: `.corrupt` naming the first of them.
  static func wholeTail(of swarm: SwarmRow, in db: Database) throws -> Tail {
    let tail = try tail(of: swarm, in: db)
    if let newest = try CheckpointRows.newestRevision(of: swarm, in: db), newest > tail.head {
      throw JournalError.corrupt(
        revision: tail.head + 1, "it is missing; the checkpoint stands at revision \(newest)")
    }
    return tail
  }

  /// What the first kept entry follows on.
  ///
  /// - Throws: `.noSuchSwarm` if the row is gone, `.damaged` if it was changed since the swarm was opened.
  static func horizon(of swarm: SwarmRow, in db: Database) throws -> Tail {
    var horizon: Tail?
    var isIntact = true
    try RawStatement(db, "SELECT horizon, horizonChecksum, checksum FROM swarm WHERE id = ?").query {
      try $0.bind(swarm.id, at: 1)
    } row: { row in
      let found = Tail(head: row.int64(0), link: UInt64(bitPattern: row.int64(1)))
      isIntact = UInt64(bitPattern: row.int64(2)) == SwarmRows.checksum(of: swarm, horizon: found)
      horizon = found
      return false
    }
    guard isIntact else {
      throw JournalError.damaged("the row of swarm \"\(swarm.name)\" does not match its checksum")
    }
    guard let horizon else { throw JournalError.noSuchSwarm(swarm.name) }
    return horizon
  }

  /// Makes the kept checkpoint at `floor` the horizon; runs inside the caller's transaction. What lies behind it is not
  /// visible from then on; ``Leftovers`` removes it.
  static func trim(_ swarm: SwarmRow, to floor: Revision, path: String, in db: Database) throws {
    var kept = try CheckpointRows.kept(of: swarm, path: path, in: db)
    guard try kept.trim(to: floor) else { return }
    // The entry at the floor is what the next one follows on, so it is checked once more.
    switch try EntryRow.examine(floor, of: swarm, in: db) {
    case .intact(let row): try SwarmRows.setHorizon(Tail(head: floor, link: row.link), of: swarm, in: db)
    case .damaged(_, _, let how), .missing(let how): throw JournalError.corrupt(revision: floor, how)
    }
    try CheckpointRows.drop(allBut: kept.revisions, of: swarm, in: db)
  }

  /// Inserts entries after `tail` and moves it.
  static func insert(
    _ entries: some Sequence<(appendedAt: Int64, payload: [UInt8])>, of swarm: SwarmRow, after tail: inout Tail,
    in db: Database
  ) throws {
    let insert = try RawStatement(
      db, "INSERT INTO entry (place, appendedAt, link, payload, checksum) VALUES (?, ?, ?, ?, ?)")
    for (appendedAt, payload) in entries {
      guard tail.head < Place.largestRevision else {
        throw JournalError.full("swarm \"\(swarm.name)\" has no revisions left")
      }
      tail.head += 1
      let checksum = payload.withUnsafeBytes {
        EntryChecksum.of(revision: tail.head, appendedAt: appendedAt, payload: $0, in: swarm)
      }
      tail.link = EntryChecksum.link(of: checksum, after: tail.link)
      try insert.run {
        try $0.bind(Place.of(swarm: swarm.id, revision: tail.head), at: 1)
        try $0.bind(appendedAt, at: 2)
        try $0.bind(Int64(bitPattern: tail.link), at: 3)
        try $0.bind(payload, at: 4)
        try $0.bind(Int64(bitPattern: checksum), at: 5)
      }
    }
  }

  /// Entries after `revision`, each checked by itself and against the one before it.
  ///
  /// The first is checked by itself only if the one before it is missing: whoever asks for what comes after that knows.
  static func page(
    of swarm: SwarmRow, after revision: Revision, entryLimit: Int, byteLimit: Int, in db: Database
  ) throws -> [JournalEntry] {
    let horizon = try horizon(of: swarm, in: db)
    guard revision >= horizon.head else { throw JournalError.trimmed(horizon: horizon.head) }
    guard revision < Place.largestRevision else { return [] }
    let entryLimit = min(max(1, entryLimit), largestPage.entries)
    let byteLimit = min(byteLimit, largestPage.bytes)

    var previous = try link(at: revision, of: swarm, in: db)
    var head = revision
    let seams = try SeamRows.seams(of: swarm, after: revision, in: db)
    var page: [JournalEntry] = []
    var bytes = 0
    let query = try RawStatement(db, EntryRow.selection + "WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?")
    try query.query {
      try $0.bind(Place.of(swarm: swarm.id, revision: revision + 1), at: 1)
      try $0.bind(Place.of(swarm: swarm.id, revision: Place.largestRevision), at: 2)
      try $0.bind(Int64(entryLimit), at: 3)
    } row: { statement in
      let row = EntryRow(statement, of: swarm)
      guard row.revision == head + 1 else {
        throw JournalError.corrupt(revision: head + 1, "it is missing; the next one found is \(row.revision)")
      }
      bytes += statement.byteCount(3)
      guard page.isEmpty || bytes <= byteLimit else { return false }
      if let problem = row.problem(after: previous, seam: seams[row.revision]) {
        throw JournalError.corrupt(revision: row.revision, problem)
      }
      page.append(JournalEntry(revision: row.revision, appendedAt: row.appendedAt, payload: statement.bytes(3)))
      head = row.revision
      previous = row.link
      return true
    }
    if page.isEmpty, let newest = try CheckpointRows.newestRevision(of: swarm, in: db), newest > revision {
      _ = try wholeTail(of: swarm, in: db)
    }
    return page
  }

  /// What the entry after `revision` follows on; nil if that entry is missing.
  static func link(at revision: Revision, of swarm: SwarmRow, in db: Database) throws -> UInt64? {
    let horizon = try horizon(of: swarm, in: db)
    if revision == horizon.head { return horizon.link }
    var link: UInt64?
    try RawStatement(db, "SELECT link FROM entry WHERE place = ?").query {
      try $0.bind(Place.of(swarm: swarm.id, revision: revision), at: 1)
    } row: { row in
      link = UInt64(bitPattern: row.int64(0))
      return false
    }
    return link
  }
}
