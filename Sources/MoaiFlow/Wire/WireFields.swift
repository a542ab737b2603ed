package import MoaiCRDT

/// Collects the fields of an object that this library writes. Each name is added once.
package struct WireFields {
  private var fields: [StateObject.Field] = []

  package init() {}

  /// Leaves the field out if there is no value.
  package mutating func add(_ name: UTF8String, _ value: StateValue?) {
    if let value { fields.append(StateObject.Field(name, value)) }
  }

  package mutating func add(_ name: UTF8String, text: String) {
    add(name, .string(UTF8String(text)))
  }

  package mutating func add(_ name: UTF8String, integer: some BinaryInteger) {
    add(name, .int(Int64(clamping: integer)))
  }

  /// `timestamp`, and `logical` where it is not 0 (rule §1.5).
  package mutating func add(_ timestamp: Timestamp) {
    add("timestamp", text: timestamp.rfc3339)
    if timestamp.logical > 0 { add("logical", integer: timestamp.logical) }
  }

  package mutating func add(_ fields: WireFields) {
    self.fields.append(contentsOf: fields.fields)
  }

  package var json: StateValue {
    .object(StateObject(ascending: fields.sorted { $0.name < $1.name }))
  }
}
