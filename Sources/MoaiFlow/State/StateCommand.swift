import MoaiCRDT

/// What may be asked of shared state, in the form that applies without history: every whole value has become
/// operations already (rule §4.4).
public enum StateCommand: Sendable, Hashable {
  /// Writes on one or several keys: all or nothing (rule §4.5).
  case write([KeyWrite])
  /// Takes recorded writes back (rule §6.2).
  case rewind(RewindCommand)
}

/// The write of one key inside an entry.
public struct KeyWrite: Sendable, Hashable {
  public enum Content: Sendable, Hashable {
    case operations([StateOperation])
    /// The operations of a whole value; the key comes into being even if there are none (an empty set).
    case value(CRDTType, [StateOperation])
    case delete
  }

  public let key: StateKey
  public let content: Content
  /// What the writer had seen (rule §4.3). Nil: `condition`, else everything before this entry.
  public let base: Revision?
  /// Holds when it equals the key's revision when the entry applies; 0: the key is absent (rule §4.5).
  public let condition: Revision?
  public let declaredType: CRDTType?
  public let strategy: KeyStrategy?

  public init(
    key: StateKey, content: Content, base: Revision? = nil, condition: Revision? = nil, declaredType: CRDTType? = nil,
    strategy: KeyStrategy? = nil
  ) {
    self.key = key
    self.content = content
    self.base = base
    self.condition = condition
    self.declaredType = declaredType
    self.strategy = strategy
  }

  var operations: [StateOperation] {
    switch content {
    case .operations(let operations), .value(_, let operations): operations
    case .delete: []
    }
  }
}

/// How a register or a map field shows concurrent writes.
public enum KeyStrategy: String, Sendable, Hashable, CaseIterable {
  /// The last write is shown.
  case lww
  /// The last write is shown, the others beside it as siblings.
  case vector
}

extension StateCommand {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .write(let writes):
      writer.byte(1)
      writer.count(writes.count)
      for write in writes { write.encode(into: &writer) }
    case .rewind(let rewind):
      writer.byte(2)
      rewind.encode(into: &writer)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("state") {
    case 1:
      let count = try reader.count("state.writes", bytesPerElement: 4, limit: Dot.operationsPerEntry)
      var writes: [KeyWrite] = []
      writes.reserveCapacity(count)
      // Each write may create its key, and each operation names a dot.
      var dots = count
      for _ in 0..<count {
        let write = try KeyWrite(from: &reader)
        dots += write.operations.count
        guard dots <= Dot.operationsPerEntry else {
          throw reader.failure(.overLimit("more than \(Dot.operationsPerEntry) operations"), "state.writes")
        }
        writes.append(write)
      }
      self = .write(writes)
    case 2: self = .rewind(try RewindCommand(from: &reader))
    case let tag: throw reader.failure(.malformed("\(tag) is no state command"), "state")
    }
  }
}

extension KeyWrite {
  func encode(into writer: inout ByteWriter) {
    writer.string(key.name.string)
    writer.optionalRevision(base)
    writer.optionalRevision(condition)
    writer.byte(declaredType?.tag ?? 0)
    writer.byte(strategy?.tag ?? 0)
    switch content {
    case .delete: writer.byte(0)
    case .operations(let operations):
      writer.byte(1)
      writer.operations(operations)
    case .value(let type, let operations):
      writer.byte(2)
      writer.byte(type.tag)
      writer.operations(operations)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let key = try reader.key("write.key")
    let base = try reader.optionalRevision("write.base")
    let condition = try reader.optionalRevision("write.if_revision")
    let declaredType = try reader.optionalType("write.crdt_type")
    let strategy = try reader.optionalStrategy("write.strategy")
    let content: Content
    switch try reader.byte("write.content") {
    case 0: content = .delete
    case 1: content = .operations(try reader.operations())
    case 2: content = .value(try reader.type("write.value_type"), try reader.operations())
    case let tag: throw reader.failure(.malformed("\(tag) is no content"), "write.content")
    }
    self.init(
      key: key, content: content, base: base, condition: condition, declaredType: declaredType, strategy: strategy)
  }
}

extension CRDTType {
  var tag: UInt8 {
    switch self {
    case .counter: 1
    case .set: 2
    case .map: 3
    case .register: 4
    }
  }

  init?(tag: UInt8) {
    switch tag {
    case 1: self = .counter
    case 2: self = .set
    case 3: self = .map
    case 4: self = .register
    default: return nil
    }
  }
}

extension KeyStrategy {
  var tag: UInt8 { self == .lww ? 1 : 2 }
}

extension ByteWriter {
  /// 0 for nil, else the revision + 1.
  mutating func optionalRevision(_ revision: Revision?) {
    varint(revision.map { UInt64($0) + 1 } ?? 0)
  }

  fileprivate mutating func operations(_ operations: [StateOperation]) {
    count(operations.count)
    for operation in operations { operation.encode(into: &self) }
  }
}

extension ByteReader {
  mutating func optionalRevision(_ field: String) throws(DecodingFailure) -> Revision? {
    let start = offset
    let number = try varint(field)
    if number == 0 { return nil }
    return try revision(number - 1, field, at: start)
  }

  mutating func revision(_ field: String) throws(DecodingFailure) -> Revision {
    let start = offset
    return try revision(try varint(field), field, at: start)
  }

  private func revision(_ number: UInt64, _ field: String, at start: Int) throws(DecodingFailure) -> Revision {
    guard number < 1 << 47 else {
      throw DecodingFailure(.malformed("\(number) is no revision"), field: field, offset: start)
    }
    return Revision(number)
  }

  mutating func type(_ field: String) throws(DecodingFailure) -> CRDTType {
    let tag = try byte(field)
    guard let type = CRDTType(tag: tag) else { throw failure(.malformed("\(tag) is no type"), field) }
    return type
  }

  mutating func optionalType(_ field: String) throws(DecodingFailure) -> CRDTType? {
    let tag = try byte(field)
    if tag == 0 { return nil }
    guard let type = CRDTType(tag: tag) else { throw failure(.malformed("\(tag) is no type"), field) }
    return type
  }

  mutating func optionalStrategy(_ field: String) throws(DecodingFailure) -> KeyStrategy? {
    switch try byte(field) {
    case 0: return nil
    case 1: return .lww
    case 2: return .vector
    case let tag: throw failure(.malformed("\(tag) is no strategy"), field)
    }
  }

  fileprivate mutating func operations() throws(DecodingFailure) -> [StateOperation] {
    let count = try count("write.operations", bytesPerElement: 2, limit: Dot.operationsPerEntry)
    var operations: [StateOperation] = []
    operations.reserveCapacity(count)
    for _ in 0..<count { operations.append(try StateOperation(from: &self)) }
    return operations
  }
}
