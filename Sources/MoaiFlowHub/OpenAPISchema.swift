import MoaiCRDT
import MoaiFlow

/// JSON Schemas for the OpenAPI document, in the few shapes that bodies and answers have.
enum OpenAPISchema {
  /// A field of an object.
  struct Field: Sendable {
    let name: String
    let schema: StateValue
    var isRequired = false

    /// The same, and it must be there.
    var required: Field { Field(name: name, schema: schema, isRequired: true) }
    /// The same, or null.
    var orNull: Field { Field(name: name, schema: ["anyOf": [schema, ["type": "null"]]], isRequired: isRequired) }
  }

  static func text(_ name: String, of words: [String]? = nil) -> Field {
    guard let words else { return Field(name: name, schema: ["type": "string"]) }
    return Field(name: name, schema: ["type": "string", "enum": .array(words.map { StateValue($0) })])
  }

  static func number(_ name: String) -> Field { Field(name: name, schema: ["type": "integer"]) }
  static func flag(_ name: String) -> Field { Field(name: name, schema: ["type": "boolean"]) }
  /// An object with at least these fields.
  static func record(_ name: String, _ fields: [Field]) -> Field { Field(name: name, schema: open(fields)) }
  static func anything(_ name: String) -> Field { Field(name: name, schema: true) }

  /// A revision or a cursor.
  static func reference(_ name: String) -> Field { Field(name: name, schema: ["type": ["integer", "string"]]) }

  static func list(_ name: String, of element: StateValue) -> Field {
    Field(name: name, schema: ["type": "array", "items": element])
  }

  static func list(_ name: String, _ fields: [Field]) -> Field { list(name, of: open(fields)) }

  static let crdtType = text("crdt_type", of: CRDTType.allCases.map(\.rawValue))
  static let strategy = text("strategy", of: KeyStrategy.allCases.map(\.rawValue))

  /// An object with no other fields than these: what a request may have.
  static func closed(_ fields: [Field]) -> StateValue { object(fields, isClosed: true) }

  /// An object with at least the fields that are required: what an answer has.
  static func open(_ fields: [Field]) -> StateValue { object(fields, isClosed: false) }

  private static func object(_ fields: [Field], isClosed: Bool) -> StateValue {
    var properties = WireFields()
    for field in fields { properties.add(UTF8String(field.name), field.schema) }
    var object = WireFields()
    object.add("type", "object")
    object.add("properties", properties.json)
    let required = fields.filter(\.isRequired)
    if !required.isEmpty { object.add("required", .array(required.map { StateValue($0.name) })) }
    if isClosed { object.add("additionalProperties", false) }
    return object.json
  }
}
