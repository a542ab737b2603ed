import MoaiCRDT

/// The recursive descent over one text. It works on raw bytes and copies nothing but the strings it returns.
struct JSONCursor {
  /// A reason and its place; line, column and pointer are found when the whole parse has failed.
  struct Fault: Error {
    let reason: JSONError.Reason
    let offset: Int
  }

  private enum Step {
    case field(UTF8String)
    case index(Int)
  }

  let bytes: UnsafeRawBufferPointer
  let limits: JSONLimits
  var offset = 0
  var scratch: [UInt8] = []
  private var elements = 0
  /// The way to the fault, innermost first.
  private var trail: [Step] = []

  init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  mutating func document() throws(Fault) -> StateValue {
    guard bytes.count <= limits.bytes else {
      throw Fault(reason: .overLimit("the text has \(bytes.count) bytes, at most \(limits.bytes)"), offset: 0)
    }
    let value = try value(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw fault(.trailingBytes) }
    return value
  }

  func fault(_ reason: JSONError.Reason) -> Fault {
    Fault(reason: reason, offset: offset)
  }

  /// That the byte at the offset, or the end there, is not what was expected.
  func unexpected(_ expected: String) -> Fault {
    offset < bytes.count
      ? fault(.unexpectedByte(bytes[offset], expected: expected)) : fault(.unexpectedEnd(expected: expected))
  }

  func describe(_ fault: Fault) -> JSONError {
    var line = 1
    var lineStart = 0
    for place in 0..<min(fault.offset, bytes.count) where bytes[place] == UInt8(ascii: "\n") {
      line += 1
      lineStart = place + 1
    }
    var pointer = JSONPointer.root
    for step in trail.reversed() {
      switch step {
      case .field(let name): pointer = pointer.appending(name.string)
      case .index(let index): pointer = pointer.appending(index)
      }
    }
    return JSONError(
      reason: fault.reason, offset: fault.offset, line: line, column: fault.offset - lineStart + 1, pointer: pointer)
  }

  private mutating func value(depth: Int) throws(Fault) -> StateValue {
    skipSpace()
    guard offset < bytes.count else { throw unexpected("a value") }
    elements += 1
    if elements > limits.elements { throw fault(.overLimit("more than \(limits.elements) values")) }
    switch bytes[offset] {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: throw unexpected("a value")
    }
  }

  private mutating func array(depth: Int) throws(Fault) -> [StateValue] {
    try enter(depth)
    var values: [StateValue] = []
    if skip(UInt8(ascii: "]")) { return values }
    while true {
      do {
        values.append(try value(depth: depth))
      } catch {
        trail.append(.index(values.count))
        throw error
      }
      if skip(UInt8(ascii: ",")) { continue }
      if skip(UInt8(ascii: "]")) { return values }
      throw unexpected("\",\" or \"]\"")
    }
  }

  private mutating func object(depth: Int) throws(Fault) -> StateObject {
    let start = offset
    try enter(depth)
    var fields: [StateObject.Field] = []
    if skip(UInt8(ascii: "}")) { return .empty }
    while true {
      skipSpace()
      guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected("a field name") }
      let name = try string()
      guard skip(UInt8(ascii: ":")) else { throw unexpected("\":\"") }
      do {
        fields.append(StateObject.Field(name: name, value: try value(depth: depth)))
      } catch {
        trail.append(.field(name))
        throw error
      }
      if skip(UInt8(ascii: ",")) { continue }
      if skip(UInt8(ascii: "}")) { break }
      throw unexpected("\",\" or \"}\"")
    }
    if let duplicate = StateObject.sort(&fields) {
      trail.append(.field(duplicate))
      throw Fault(reason: .duplicateField, offset: start)
    }
    return StateObject(ascending: fields)
  }

  /// Over the opening bracket, unless that is one too many.
  private mutating func enter(_ depth: Int) throws(Fault) {
    guard depth <= limits.depth else { throw fault(.overLimit("nested deeper than \(limits.depth) levels")) }
    offset += 1
  }

  private mutating func literal(_ text: StaticString) throws(Fault) {
    let length = text.utf8CodeUnitCount
    for index in 0..<length {
      guard offset + index < bytes.count, bytes[offset + index] == text.utf8Start[index] else {
        throw unexpected("a value")
      }
    }
    offset += length
  }

  /// Skips space, then the byte if it is there.
  @inline(__always)
  private mutating func skip(_ byte: UInt8) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  @inline(__always)
  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): offset += 1
      default: return
      }
    }
  }
}
