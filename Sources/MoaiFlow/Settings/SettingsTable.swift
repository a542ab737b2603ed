/// The settings in force. One record: replaced as a whole.
struct SettingsTable: Sendable {
  static let policyLimit = 1_000

  var settings = SwarmSettings()
  var isDirty = false

  mutating func apply(
    _ command: SettingsCommand, in transaction: inout Transaction
  ) throws(SettingsRefusal) {
    switch command {
    case .replace(let new):
      guard 1...SwarmLimits.maximumValueBytes ~= new.limits.valueBytes else {
        throw .limit(
          "limits.value_bytes is \(new.limits.valueBytes), allowed are 1 to \(SwarmLimits.maximumValueBytes)")
      }
      guard 1...4096 ~= new.limits.siblings else {
        throw .limit("limits.siblings is \(new.limits.siblings), allowed are 1 to 4096")
      }
      guard new.policies.count <= SettingsTable.policyLimit else {
        throw .limit("\(new.policies.count) policies, at most \(SettingsTable.policyLimit)")
      }
      transaction.settingsBefore = settings
      settings = new
      isDirty = true
    }
  }

  mutating func undo(_ previous: SwarmSettings) {
    settings = previous
  }
}
