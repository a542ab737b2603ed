import Foundation
import GRDB
import MoaiFlow

/// What version 1 of the format did otherwise: an entry had one checksum, over what it followed on and its own content.
enum FirstVersion {
  /// Gives swarms and entries the checksums of version 2. An entry that did not match its checksum gets one that it does
  /// not match either.
  static func addChecksums(in db: Database) throws {
    for row in try Row.fetchAll(db, sql: "SELECT id, name, epoch FROM swarm") {
      let swarm = SwarmRow(
        id: row["id"], name: try SwarmName(row["name"]), epoch: Epoch(UInt64(bitPattern: row["epoch"])))
      let root = EntryChecksum.root(of: swarm.epoch)
      try SwarmRows.setHorizon(Tail(head: 0, link: root), of: swarm, in: db)
      try addChecksums(to: swarm, root: root, in: db)
    }
  }

  private static func addChecksums(to swarm: SwarmRow, root: UInt64, in db: Database) throws {
    var (previous, link) = (root, root)
    let cursor = try Row.fetchCursor(
      db, sql: "SELECT place, appendedAt, link, payload FROM entry WHERE place BETWEEN ? AND ? ORDER BY place",
      arguments: [
        Place.of(swarm: swarm.id, revision: 0), Place.of(swarm: swarm.id, revision: Place.largestRevision),
      ])
    let update = try RawStatement(db, "UPDATE entry SET checksum = ?, link = ? WHERE place = ?")
    while let row = try cursor.next() {
      let (place, appendedAt) = (row["place"] as Int64, row["appendedAt"] as Int64)
      let payload = try row.withUnsafeData(named: "payload") { [UInt8]($0 ?? .init()) }
      let stored = UInt64(bitPattern: row["link"])
      var hash = StableHash(seed: previous)
      hash.combine(Place.revision(of: place))
      hash.combine(appendedAt)
      hash.combine(bytes: payload)
      let checksum = payload.withUnsafeBytes {
        EntryChecksum.of(revision: Place.revision(of: place), appendedAt: appendedAt, payload: $0, in: swarm)
      }
      link = EntryChecksum.link(of: checksum, after: link)
      try update.run {
        try $0.bind(Int64(bitPattern: hash.finalize() == stored ? checksum : ~checksum), at: 1)
        try $0.bind(Int64(bitPattern: link), at: 2)
        try $0.bind(place, at: 3)
      }
      previous = stored
    }
  }
}
