package import MoaiCRDT

/// One object of a request, read field by field. A field that is not allowed is refused: a typo must not be ignored.
package struct WireObject {
  package let object: StateObject
  package let place: JSONPointer

  /// - Parameter planned: fields that a later version will have; they are refused with a message of their own.
  package init(
    _ json: StateValue, at place: JSONPointer, allowing names: Set<UTF8String>, planned: Set<UTF8String> = []
  ) throws(WireError) {
    guard case .object(let object) = json else {
      throw WireError(place, "must be an object, not \(json.kindName)")
    }
    for field in object.fields where !names.contains(field.name) {
      throw WireError(
        place.appending(field.name.string),
        planned.contains(field.name) ? "not supported yet" : "there is no such field here")
    }
    self.object = object
    self.place = place
  }

  /// An object whose fields were not checked.
  init(trusted object: StateObject, at place: JSONPointer) {
    self.object = object
    self.place = place
  }

  /// The field, or nil if it is absent or null.
  package func optional(_ name: String) -> StateValue? {
    if let value = object[name], !value.isNull { value } else { nil }
  }

  /// The field, which may be null.
  package func required(_ name: String) throws(WireError) -> StateValue {
    guard let value = object[name] else { throw WireError(place.appending(name), "the field is missing") }
    return value
  }

  package func text(_ name: String) throws(WireError) -> UTF8String {
    try WireObject.text(try required(name), place.appending(name))
  }

  package func integer(_ name: String) throws(WireError) -> Int64 {
    let value = try required(name)
    guard case .int(let number) = value else {
      throw WireError(place.appending(name), "must be an integer, not \(value.kindName)")
    }
    return number
  }

  /// A name that somebody chose, checked by its rule; nil if the field is absent or null.
  package func name<Name>(
    _ field: String, _ check: (String) throws(NameError) -> Name
  ) throws(WireError) -> Name? {
    guard let value = optional(field) else { return nil }
    do {
      return try check(try WireObject.text(value, place.appending(field)).string)
    } catch let error as NameError {
      throw WireError(place.appending(field), error.problem)
    } catch let error as WireError {
      throw error
    } catch {
      throw WireError(place.appending(field), "\(error)")
    }
  }

  /// True or false; false if the field is absent or null.
  package func flag(_ name: String) throws(WireError) -> Bool {
    guard let value = optional(name) else { return false }
    guard case .bool(let flag) = value else {
      throw WireError(place.appending(name), "must be true or false, not \(value.kindName)")
    }
    return flag
  }

  /// A cursor, or a plain number of the present epoch; nil if the field is absent or null.
  package func reference(_ name: String) throws(WireError) -> RevisionReference? {
    switch optional(name) {
    case nil: return nil
    case .int(let number) where number >= 0: return .revision(number)
    case .string(let text):
      if let cursor = Cursor(text.string) { return .cursor(cursor) }
      throw WireError(place.appending(name), "is no cursor")
    default: throw WireError(place.appending(name), "must be a cursor or a revision")
    }
  }

  package func integer(_ name: String, in range: ClosedRange<Int64>, default: Int64) throws(WireError) -> Int64 {
    try optionalInteger(name, in: range) ?? `default`
  }

  /// Nil if the field is absent or null.
  package func optionalInteger(
    _ name: String, in range: ClosedRange<Int64> = Int64.min...Int64.max
  ) throws(WireError) -> Int64? {
    guard optional(name) != nil else { return nil }
    let number = try integer(name)
    guard range.contains(number) else {
      throw WireError(place.appending(name), "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// The elements of an array with the place of each; nil if the field is absent or null.
  package func elements(_ name: String) throws(WireError) -> [(value: StateValue, place: JSONPointer)]? {
    guard let value = optional(name) else { return nil }
    guard case .array(let elements) = value else {
      throw WireError(place.appending(name), "must be an array, not \(value.kindName)")
    }
    let parent = place.appending(name)
    return elements.enumerated().map { ($1, parent.appending($0)) }
  }

  /// One of a closed list of words; nil if the field is absent or null.
  package func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, of: Choice.Type
  ) throws(WireError) -> Choice? {
    guard let value = optional(name) else { return nil }
    guard case .string(let word) = value, let choice = Choice(rawValue: word.string) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw WireError(place.appending(name), "must be one of \(words)")
    }
    return choice
  }

  package static func text(_ value: StateValue, _ place: JSONPointer) throws(WireError) -> UTF8String {
    guard case .string(let text) = value else {
      throw WireError(place, "must be a string, not \(value.kindName)")
    }
    return text
  }
}
