public import MoaiCRDT

/// One command on its way through the journal: who asks, under which id, for what.
///
/// The engine adds the revision and the time of the append. Everything that applying needs is in the entry, so that
/// every hub and every replay comes to the same result.
public struct Entry: Sendable, Hashable {
  public let author: AgentID
  /// The host that acted for the author, where one did.
  public let via: AgentID?
  public let id: CommandID
  /// A hash of the request as it was submitted: the same id with another request is a caller's error.
  public let requestHash: UInt64
  public let command: Command

  public init(author: AgentID, via: AgentID? = nil, id: CommandID, requestHash: UInt64, command: Command) {
    self.author = author
    self.via = via
    self.id = id
    self.requestHash = requestHash
    self.command = command
  }
}

extension Entry {
  private static let encodingVersion: UInt64 = 0

  /// The bytes that the journal keeps (`docs/Encoding.md`, "Entries").
  public func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 96)
    writer.varint(Entry.encodingVersion)
    writer.string(author.name.string)
    writer.bool(via != nil)
    if let via { writer.string(via.name.string) }
    writer.fixed64(id.high)
    writer.fixed64(id.low)
    writer.fixed64(requestHash)
    command.encode(into: &writer)
    return writer.bytes
  }

  /// Reads what ``encoded()`` wrote; anything else is refused with the field and the byte where it is wrong.
  public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    let version = try reader.varint("entry.version")
    guard version == Entry.encodingVersion else { throw reader.failure(.unknownVersion(version), "entry.version") }
    let author = try reader.agent("entry.author")
    let via = try reader.bool("entry.via") ? try reader.agent("entry.via") : nil
    let id = CommandID(high: try reader.fixed64("entry.id"), low: try reader.fixed64("entry.id"))
    let hash = try reader.fixed64("entry.request_hash")
    let command = try Command(from: &reader)
    try reader.finish("entry")
    self.init(author: author, via: via, id: id, requestHash: hash, command: command)
  }
}

extension ByteReader {
  /// An agent's name, or the name of a system author.
  package mutating func agent(_ field: String) throws(DecodingFailure) -> AgentID {
    let start = offset
    let name = try string(field, limit: 128)
    do {
      return try AgentID(author: name)
    } catch {
      throw DecodingFailure(.malformed(error.problem), field: field, offset: start)
    }
  }

  package mutating func key(_ field: String) throws(DecodingFailure) -> StateKey {
    let start = offset
    let name = try string(field, limit: 512)
    do {
      return try StateKey(name)
    } catch {
      throw DecodingFailure(.malformed(error.problem), field: field, offset: start)
    }
  }
}
