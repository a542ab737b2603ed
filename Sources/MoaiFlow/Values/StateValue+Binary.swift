package import MoaiCRDT

/// One byte says what follows. Numbers of the tags are part of the encoding: never reuse one.
private enum Tag: UInt8 {
  case null = 0
  case `false` = 1
  case `true` = 2
  case int = 3
  case double = 4
  case string = 5
  case array = 6
  case object = 7
}

/// Elements or fields for which room is made before they are read. Each level of a nested value may claim all the bytes
/// that are left, so what is claimed together is many times the input.
private let reservedAtOnce = 1_024

/// The compact form in journal entries and checkpoints: a tag, then the payload; one value has one encoding.
extension StateValue {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .null: writer.byte(Tag.null.rawValue)
    case .bool(let value): writer.byte(value ? Tag.true.rawValue : Tag.false.rawValue)
    case .int(let value):
      writer.byte(Tag.int.rawValue)
      writer.signed(value)
    case .double(let value):
      writer.byte(Tag.double.rawValue)
      writer.fixed64(value == 0 ? 0 : value.bitPattern)
    case .string(let text):
      writer.byte(Tag.string.rawValue)
      writer.string(text.string)
    case .array(let values):
      writer.byte(Tag.array.rawValue)
      writer.count(values.count)
      for value in values { value.encode(into: &writer) }
    case .object(let object):
      writer.byte(Tag.object.rawValue)
      object.encodeFields(into: &writer)
    }
  }

  /// Refuses what the encoder never writes and what is deeper than `limits.depth`. The size is the caller's to bound:
  /// memory stays proportional to the bytes read.
  package init(from reader: inout ByteReader, limits: ValueLimits = .default) throws(DecodingFailure) {
    try self.init(from: &reader, room: limits.depth, limits: limits)
  }

  fileprivate init(from reader: inout ByteReader, room: Int, limits: ValueLimits) throws(DecodingFailure) {
    let start = reader.offset
    let byte = try reader.byte("value")
    guard let tag = Tag(rawValue: byte) else {
      throw DecodingFailure(.malformed("\(byte) is no kind of value"), field: "value", offset: start)
    }
    if tag == .array || tag == .object, room <= 0 {
      throw DecodingFailure(.overLimit("deeper than \(limits.depth) levels"), field: "value", offset: start)
    }
    switch tag {
    case .null: self = .null
    case .false: self = .bool(false)
    case .true: self = .bool(true)
    case .int: self = .int(try reader.signed("value"))
    case .double:
      let number = Double(bitPattern: try reader.fixed64("value"))
      guard number.isFinite else {
        throw DecodingFailure(.malformed("a double that is not finite"), field: "value", offset: start)
      }
      guard number != 0 || number.sign == .plus else {
        throw DecodingFailure(.notCanonical("-0.0 is written 0.0"), field: "value", offset: start)
      }
      self = .double(number)
    case .string: self = .string(UTF8String(try reader.string("value")))
    case .array:
      let count = try reader.count("value")
      var values: [StateValue] = []
      values.reserveCapacity(min(count, reservedAtOnce))
      for _ in 0..<count { values.append(try StateValue(from: &reader, room: room - 1, limits: limits)) }
      self = .array(values)
    case .object:
      self = .object(try StateObject(from: &reader, room: room - 1, limits: limits))
    }
  }
}

/// An object where the field can hold nothing else: its count, then name and value of each field.
extension StateObject {
  package func encode(into writer: inout ByteWriter) {
    encodeFields(into: &writer)
  }

  package init(from reader: inout ByteReader, limits: ValueLimits = .default) throws(DecodingFailure) {
    guard limits.depth > 0 else { throw reader.failure(.overLimit("deeper than 0 levels"), "object") }
    try self.init(from: &reader, room: limits.depth - 1, limits: limits)
  }

  fileprivate func encodeFields(into writer: inout ByteWriter) {
    writer.count(count)
    for field in fields {
      writer.string(field.name.string)
      field.value.encode(into: &writer)
    }
  }

  fileprivate init(from reader: inout ByteReader, room: Int, limits: ValueLimits) throws(DecodingFailure) {
    let count = try reader.count("object", bytesPerElement: 2)
    var fields: [Field] = []
    fields.reserveCapacity(min(count, reservedAtOnce))
    for index in 0..<count {
      let start = reader.offset
      let name = UTF8String(try reader.string("object"))
      if index > 0, !(fields[index - 1].name < name) {
        throw DecodingFailure(.notCanonical("field names ascend"), field: "object", offset: start)
      }
      fields.append(Field(name: name, value: try StateValue(from: &reader, room: room, limits: limits)))
    }
    self.init(ascending: fields)
  }
}
