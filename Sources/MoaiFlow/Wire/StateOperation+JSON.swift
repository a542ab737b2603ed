import MoaiCRDT

extension StateOperation {
  /// `{op: "increment", by}`, `{op: "add" | "remove", element}`, `{op: "put", field, value}`,
  /// `{op: "remove_field", field}`, `{op: "assign", value}`; in a log also `{op: "share", share}`.
  public var json: StateValue {
    var fields = WireFields()
    switch self {
    case .increment(let amount):
      fields.add("op", "increment")
      fields.add("by", .int(amount))
    case .share(let amount):
      fields.add("op", "share")
      fields.add("share", .int(amount))
    case .add(let element):
      fields.add("op", "add")
      fields.add("element", element)
    case .remove(let element):
      fields.add("op", "remove")
      fields.add("element", element)
    case .put(let field, let value):
      fields.add("op", "put")
      fields.add("field", .string(field))
      fields.add("value", value)
    case .removeField(let field):
      fields.add("op", "remove_field")
      fields.add("field", .string(field))
    case .assign(let value):
      fields.add("op", "assign")
      fields.add("value", value)
    }
    return fields.json
  }

  /// Reads one operation of a request; a field that the operation does not have is refused. `share` is no operation of
  /// a request: it goes with a whole value.
  public init(json: StateValue, at place: JSONPointer = .root) throws(WireError) {
    try self.init(json: json, at: place, allowsShares: false)
  }

  private init(json: StateValue, at place: JSONPointer, allowsShares: Bool) throws(WireError) {
    guard case .object(let object) = json else {
      throw WireError(place, "must be an object, not \(json.kindName)")
    }
    guard let name = object["op"] else { throw WireError(place.appending("op"), "the field is missing") }
    func fields(_ names: UTF8String...) throws(WireError) -> WireObject {
      try WireObject(json, at: place, allowing: Set(names + ["op"]))
    }
    switch name.stringValue {
    case "increment": self = .increment(try fields("by").integer("by"))
    case "add": self = .add(try fields("element").required("element"))
    case "remove": self = .remove(try fields("element").required("element"))
    case "put":
      let fields = try fields("field", "value")
      self = .put(field: try fields.text("field"), try fields.required("value"))
    case "remove_field": self = .removeField(try fields("field").text("field"))
    case "assign": self = .assign(try fields("value").required("value"))
    case "share" where allowsShares: self = .share(try fields("share").integer("share"))
    default:
      throw WireError(
        place.appending("op"), "must be one of increment, add, remove, put, remove_field, assign")
    }
  }

  /// Reads the field `ops` of a request.
  public static func list(json: StateValue, at place: JSONPointer = .root) throws(WireError) -> [StateOperation] {
    try list(json: json, at: place, allowsShares: false)
  }

  /// `allowsShares`: in a log, a delta or a change the operation `share` stands, too.
  package static func list(
    json: StateValue, at place: JSONPointer, allowsShares: Bool
  ) throws(WireError) -> [StateOperation] {
    guard case .array(let elements) = json else {
      throw WireError(place, "must be an array, not \(json.kindName)")
    }
    var operations: [StateOperation] = []
    operations.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      operations.append(try StateOperation(json: element, at: place.appending(index), allowsShares: allowsShares))
    }
    return operations
  }
}
