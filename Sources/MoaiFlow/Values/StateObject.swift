public import MoaiCRDT

/// A field name that an object has twice.
public struct DuplicateField: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: UTF8String

  public var description: String { "the field \"\(name)\" is there twice" }
}

extension StateObject {
  /// The object without fields.
  public static let empty = StateObject(ascending: [])

  /// Sorts the fields. O(n log n).
  public init(_ fields: some Sequence<(UTF8String, StateValue)>) throws(DuplicateField) {
    try self.init(fields.map { Field(name: $0.0, value: $0.1) })
  }

  /// Sorts the fields. O(n log n).
  public init(_ fields: [Field]) throws(DuplicateField) {
    var sorted = fields
    if let duplicate = StateObject.sort(&sorted) { throw DuplicateField(name: duplicate) }
    self.init(ascending: sorted)
  }

  /// For fields that are known to be strictly ascending.
  package init(ascending fields: [Field]) {
    assert(zip(fields, fields.dropFirst()).allSatisfy { $0.name < $1.name })
    self.fields = fields
  }

  /// Sorts in place, in O(n) where they are in order already, and names a field that is there twice.
  static func sort(_ fields: inout [Field]) -> UTF8String? {
    var isAscending = true
    for index in fields.indices.dropFirst() where !(fields[index - 1].name < fields[index].name) {
      isAscending = false
      break
    }
    if isAscending { return nil }
    fields.sort { $0.name < $1.name }
    for index in fields.indices.dropFirst() where fields[index - 1].name == fields[index].name {
      return fields[index].name
    }
    return nil
  }

  public var count: Int { fields.count }
  public var isEmpty: Bool { fields.isEmpty }

  /// The value of a field, or nil where there is no such field. O(log n).
  public subscript(name: UTF8String) -> StateValue? {
    index(of: name).map { fields[$0].value }
  }

  /// The value of a field, or nil where there is no such field. O(log n).
  public subscript(name: String) -> StateValue? {
    self[UTF8String(name)]
  }

  /// With the field replaced, or added in its place. O(n).
  public func setting(_ name: UTF8String, to value: StateValue) -> StateObject {
    var changed = fields
    let place = firstIndex(notBefore: name)
    if place < changed.count, changed[place].name == name {
      changed[place] = Field(name: name, value: value)
    } else {
      changed.insert(Field(name: name, value: value), at: place)
    }
    return StateObject(ascending: changed)
  }

  /// Without the field. O(n).
  public func removing(_ name: UTF8String) -> StateObject {
    guard let place = index(of: name) else { return self }
    var changed = fields
    changed.remove(at: place)
    return StateObject(ascending: changed)
  }

  private func index(of name: UTF8String) -> Int? {
    let place = firstIndex(notBefore: name)
    return place < fields.count && fields[place].name == name ? place : nil
  }

  private func firstIndex(notBefore name: UTF8String) -> Int {
    var low = 0
    var high = fields.count
    while low < high {
      let middle = (low + high) / 2
      if fields[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension StateObject.Field {
  public init(_ name: UTF8String, _ value: StateValue) {
    self.init(name: name, value: value)
  }
}
