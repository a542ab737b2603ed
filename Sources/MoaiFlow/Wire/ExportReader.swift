import MoaiCRDT

/// Reads an export, line by line, and believes nothing: order, hashes, the trailer, that every entry decodes, and that
/// applying them gives the chain hash that the trailer names.
///
/// Nothing is to be used before ``finish()`` has returned. All entries are in memory then.
package struct ExportReader: Sendable {
  /// Bytes of one line at most: the largest entry that an engine takes, in base64, and its fields.
  package static let lineLimit = 96 << 20

  private struct Header {
    let epoch: Epoch
    let head: Revision
  }

  private var header: Header?
  private var state = SwarmState(epoch: Epoch(0))
  private var hash: UInt64 = 0
  private var entries: [JournalEntry] = []
  private var isComplete = false

  package init() {}

  /// Takes the next line, without its line feed.
  ///
  /// - Throws: `WireError` naming the field; the reader is of no use afterwards.
  package mutating func take(_ line: [UInt8]) throws(WireError) {
    guard !isComplete else { throw WireError(.root, "something follows the last line") }
    let json: StateValue
    do {
      json = try JSONParser(limits: JSONLimits(bytes: ExportReader.lineLimit, depth: 4, elements: 64)).parse(line)
    } catch {
      throw WireError(error.pointer, "column \(error.column): \(error.detail)")
    }
    guard let header else { return try takeHeader(json) }
    if json["end"] != nil { try takeTrailer(json, header) } else { try takeEntry(json, header) }
  }

  /// The entries, once the last line is in.
  package func finish() throws(WireError) -> [JournalEntry] {
    guard header != nil else { throw WireError(.root, "the file is empty") }
    guard isComplete else {
      throw WireError(.root, "the file is truncated: it ends after entry \(entries.count), without its last line")
    }
    return entries
  }

  private mutating func takeHeader(_ json: StateValue) throws(WireError) {
    guard json["format"]?.stringValue == ExportFormat.name else {
      throw WireError(JSONPointer("format"), "this is no export: \"\(ExportFormat.name)\" is expected")
    }
    guard json["version"]?.intValue == ExportFormat.version else {
      throw WireError(JSONPointer("version"), "this program reads version \(ExportFormat.version)")
    }
    let fields = try WireObject(json, at: .root, allowing: ["format", "version", "swarm", "epoch", "head"])
    let epoch = Epoch(try fields.hash("epoch"))
    let head = try fields.integer("head")
    guard head >= 0 else { throw WireError(JSONPointer("head"), "\(head) is no revision") }
    header = Header(epoch: epoch, head: head)
    state = SwarmState(epoch: epoch)
    hash = ExportFormat.root(epoch: epoch, head: head)
  }

  private mutating func takeEntry(_ json: StateValue, _ header: Header) throws(WireError) {
    let fields = try WireObject(json, at: .root, allowing: ["revision", "appended_at", "payload", "hash"])
    let revision = try fields.integer("revision")
    guard revision == state.revision + 1, revision <= header.head else {
      throw WireError(
        JSONPointer("revision"),
        state.revision < header.head
          ? "\(revision) stands where \(state.revision + 1) is expected"
          : "\(revision) is beyond the head \(header.head)")
    }
    guard let payload = Base64.bytes(try fields.text("payload").string) else {
      throw WireError(JSONPointer("payload"), "malformed base64")
    }
    let stored = JournalEntry(
      revision: revision, appendedAt: try fields.integer("appended_at"), payload: payload)
    hash = ExportFormat.hash(of: stored, after: hash)
    guard try fields.hash("hash") == hash else {
      throw WireError(JSONPointer("hash"), "entry \(revision) does not match its hash")
    }
    do {
      _ = try state.apply(stored)
    } catch {
      throw WireError(JSONPointer("payload"), "\(error)")
    }
    entries.append(stored)
  }

  private mutating func takeTrailer(_ json: StateValue, _ header: Header) throws(WireError) {
    let fields = try WireObject(json, at: .root, allowing: ["end", "count", "hash", "chain"])
    guard json["end"] == .bool(true) else { throw WireError(JSONPointer("end"), "must be true") }
    let count = try fields.integer("count")
    guard count == state.revision, count == header.head else {
      throw WireError(
        JSONPointer("count"), "\(state.revision) entries are there, the header names \(header.head), the end \(count)")
    }
    guard try fields.hash("hash") == hash else {
      throw WireError(JSONPointer("hash"), "the file does not match its hash")
    }
    guard try fields.hash("chain") == state.chain else {
      throw WireError(JSONPointer("chain"), "applying the entries gives another chain hash than the swarm had")
    }
    isComplete = true
  }
}
