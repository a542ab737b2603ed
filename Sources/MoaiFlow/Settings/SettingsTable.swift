/// The settings in force. One record: replaced as a whole.
struct SettingsTable: Sendable {
  static let policyLimit = 1_000

  var settings = SwarmSettings()
  var isDirty = false
  /// Whether checkpoints hold a record of them: not before they were set for the first time.
  private(set) var isKept = false

  mutating func apply(
    _ command: SettingsCommand, in transaction: inout Transaction
  ) throws(SettingsRefusal) {
    switch command {
    case .replace(let new):
      try SettingsTable.check(new)
      transaction.settingsBefore = settings
      settings = new
      isDirty = true
      isKept = true
    }
  }

  /// What may be in force.
  static func check(_ settings: SwarmSettings) throws(SettingsRefusal) {
    guard 1...SwarmLimits.maximumValueBytes ~= settings.limits.valueBytes else {
      throw .limit(
        "limits.value_bytes is \(settings.limits.valueBytes), allowed are 1 to \(SwarmLimits.maximumValueBytes)")
    }
    guard 1...4096 ~= settings.limits.siblings else {
      throw .limit("limits.siblings is \(settings.limits.siblings), allowed are 1 to 4096")
    }
    guard settings.policies.count <= policyLimit else {
      throw .limit("\(settings.policies.count) policies, at most \(policyLimit)")
    }
  }

  /// Takes them from a checkpoint.
  mutating func load(_ saved: SwarmSettings) {
    settings = saved
    isKept = true
  }

  mutating func undo(_ previous: SwarmSettings) {
    settings = previous
  }
}
