import GRDB
import MoaiFlow

/// One row of the table `entry`, without its payload.
struct EntryRow {
  static let selection = "SELECT place, appendedAt, link, payload, checksum FROM entry "

  let revision: Revision
  let appendedAt: Int64
  let link: UInt64
  /// What is stored.
  let checksum: UInt64
  /// What fits the content.
  let expectedChecksum: UInt64

  /// From a row of a query that begins with ``selection``.
  init(_ row: borrowing RawStatement, of swarm: SwarmRow) {
    let (revision, appendedAt) = (Place.revision(of: row.int64(0)), row.int64(1))
    self.revision = revision
    self.appendedAt = appendedAt
    link = UInt64(bitPattern: row.int64(2))
    checksum = UInt64(bitPattern: row.int64(4))
    expectedChecksum = row.withBytes(3) {
      EntryChecksum.of(revision: revision, appendedAt: appendedAt, payload: $0, in: swarm)
    }
  }

  var isContentIntact: Bool { checksum == expectedChecksum }

  /// What is wrong with the entry; nil if it is intact.
  ///
  /// - Parameters:
  ///   - previous: the link of the entry before; nil if that one is missing.
  ///   - seam: what stands in for the link if the entry before was skipped.
  func problem(after previous: UInt64?, seam: UInt64?) -> String? {
    guard isContentIntact else { return "its checksum does not match what is stored" }
    if let seam { return seam == SeamRows.checksum(of: self) ? nil : "its checksum does not match its seam" }
    guard let previous else { return nil }
    return link == EntryChecksum.link(of: checksum, after: previous) ? nil : "it does not follow on the entry before"
  }
}

extension EntryRow {
  enum Condition {
    case intact(EntryRow)
    case damaged(EntryRow, payload: [UInt8], String)
    case missing(String)
  }

  /// Looks at one entry behind the horizon.
  static func examine(_ revision: Revision, of swarm: SwarmRow, in db: Database) throws -> Condition {
    let previous = try EntryRows.link(at: revision - 1, of: swarm, in: db)
    let seam = try SeamRows.seam(of: swarm, at: revision, in: db)
    var condition = Condition.missing("it is missing")
    try RawStatement(db, selection + "WHERE place = ?").query {
      try $0.bind(Place.of(swarm: swarm.id, revision: revision), at: 1)
    } row: { statement in
      let row = EntryRow(statement, of: swarm)
      let problem = row.problem(after: previous, seam: seam)
      condition = problem.map { .damaged(row, payload: statement.bytes(3), $0) } ?? .intact(row)
      return false
    }
    return condition
  }
}
