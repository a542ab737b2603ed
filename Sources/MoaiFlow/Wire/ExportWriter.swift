import MoaiCRDT

/// The text form of a whole journal, a JSON object a line: a header, one line for each entry, a trailer.
///
///     {"format": "moai-flow-export", "version": 1, "swarm": …, "epoch": …, "head": 2}
///     {"revision": 1, "appended_at": 1764410400000, "payload": "…", "hash": "…"}
///     {"revision": 2, …}
///     {"end": true, "count": 2, "hash": "…", "chain": "…"}
///
/// `payload` is the entry's bytes in base64, `appended_at` milliseconds since 1970. Every `hash` goes over the one before
/// it, so a changed, lost or swapped line is noticed; `chain` is the swarm's chain hash, which whoever reads the file
/// computes again by applying the entries. Neither is a defence against a forger.
enum ExportFormat {
  static let name = "moai-flow-export"
  static let version: Int64 = 1

  /// What the first entry's hash goes over.
  static func root(epoch: Epoch, head: Revision) -> UInt64 {
    var hash = StableHash(seed: epoch.rawValue)
    hash.combine(version)
    hash.combine(head)
    return hash.finalize()
  }

  static func hash(of entry: JournalEntry, after previous: UInt64) -> UInt64 {
    var hash = StableHash(seed: previous)
    hash.combine(entry.revision)
    hash.combine(entry.appendedAt)
    hash.combine(bytes: entry.payload)
    return hash.finalize()
  }

  static func text(_ hash: UInt64) -> String { Epoch(hash).description }
}

/// Writes an export, line by line; the caller brings the lines to where they go.
package struct ExportWriter: Sendable {
  private let head: Revision
  private let swarm: SwarmName
  private let epoch: Epoch
  private var hash: UInt64
  private var count: Revision = 0

  package init(swarm: SwarmName, epoch: Epoch, head: Revision) {
    self.swarm = swarm
    self.epoch = epoch
    self.head = head
    hash = ExportFormat.root(epoch: epoch, head: head)
  }

  package var header: StateValue {
    var fields = WireFields()
    fields.add("format", text: ExportFormat.name)
    fields.add("version", .int(ExportFormat.version))
    fields.add("swarm", .string(swarm.name))
    fields.add("epoch", text: epoch.description)
    fields.add("head", .int(head))
    return fields.json
  }

  package mutating func line(for entry: JournalEntry) -> StateValue {
    hash = ExportFormat.hash(of: entry, after: hash)
    count += 1
    var fields = WireFields()
    fields.add("revision", .int(entry.revision))
    fields.add("appended_at", .int(entry.appendedAt))
    fields.add("payload", text: Base64.text(entry.payload))
    fields.add("hash", text: ExportFormat.text(hash))
    return fields.json
  }

  /// `chain`: the swarm's chain hash after the last entry.
  package func trailer(chain: UInt64) -> StateValue {
    var fields = WireFields()
    fields.add("end", true)
    fields.add("count", .int(count))
    fields.add("hash", text: ExportFormat.text(hash))
    fields.add("chain", text: ExportFormat.text(chain))
    return fields.json
  }
}
