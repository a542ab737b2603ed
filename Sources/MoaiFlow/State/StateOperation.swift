public import MoaiCRDT

/// One change of a shared value, in the terms of its type.
public enum StateOperation: Sendable, Hashable {
  /// Counter: adds to this agent's increments. Any sign.
  case increment(Int64)
  /// Counter: sets this agent's share of the sum.
  case share(Int64)
  /// Set: adds an element. Wins over a remove that had not seen it.
  case add(StateValue)
  /// Set: removes what is visible at the base.
  case remove(StateValue)
  /// Map: puts a field in place of what is visible at the base.
  case put(field: UTF8String, StateValue)
  /// Map: removes what is visible of a field at the base.
  case removeField(UTF8String)
  /// Register: assigns in place of what is visible at the base.
  case assign(StateValue)

  /// The type of value that the operation belongs to.
  public var type: CRDTType {
    switch self {
    case .increment, .share: .counter
    case .add, .remove: .set
    case .put, .removeField: .map
    case .assign: .register
    }
  }

  /// Whether the operation, on an absent key, brings the key into being.
  var creates: Bool {
    switch self {
    case .increment, .share, .add, .put, .assign: true
    case .remove, .removeField: false
    }
  }
}

extension StateOperation {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .increment(let amount):
      writer.byte(1)
      writer.signed(amount)
    case .share(let amount):
      writer.byte(2)
      writer.signed(amount)
    case .add(let element):
      writer.byte(3)
      element.encode(into: &writer)
    case .remove(let element):
      writer.byte(4)
      element.encode(into: &writer)
    case .put(let field, let value):
      writer.byte(5)
      writer.string(field.string)
      value.encode(into: &writer)
    case .removeField(let field):
      writer.byte(6)
      writer.string(field.string)
    case .assign(let value):
      writer.byte(7)
      value.encode(into: &writer)
    }
  }

  package init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("operation") {
    case 1: self = .increment(try reader.signed("operation.by"))
    case 2: self = .share(try reader.signed("operation.share"))
    case 3: self = .add(try StateValue(from: &reader))
    case 4: self = .remove(try StateValue(from: &reader))
    case 5:
      let field = UTF8String(try reader.string("operation.field"))
      self = .put(field: field, try StateValue(from: &reader))
    case 6: self = .removeField(UTF8String(try reader.string("operation.field")))
    case 7: self = .assign(try StateValue(from: &reader))
    case let tag: throw reader.failure(.malformed("\(tag) is no operation"), "operation")
    }
  }
}
