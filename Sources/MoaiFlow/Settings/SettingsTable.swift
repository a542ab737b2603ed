/// The settings in force. One record: replaced as a whole.
struct SettingsTable: Sendable {
  static let policyLimit = 1_000
  /// Milliseconds that a setting may name: up to a hundred years, so that adding them to a time never overflows.
  static let durations: ClosedRange<Int64> = 1...(100 * 366 * 24 * 60 * 60 * 1000)
  private static var durationText: String { "\(durations.lowerBound) to \(durations.upperBound)" }

  private(set) var settings = SwarmSettings()
  /// Whether a policy lets keys go that nobody changes.
  private(set) var deletesIdleKeys = false
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
      take(new)
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
    guard durations ~= settings.limits.replicaIdleMilliseconds else {
      throw .limit("limits.replica_idle_ms is \(settings.limits.replicaIdleMilliseconds), allowed are \(durationText)")
    }
    for duration in [settings.retention.milliseconds, settings.retention.entries] {
      guard let duration else { continue }
      guard durations ~= duration else { throw .limit("retention is \(duration), allowed are \(durationText)") }
    }
    for policy in settings.policies {
      if let minimum = policy.bounds.minimum, let maximum = policy.bounds.maximum, minimum > maximum {
        throw .limit("the policy for \(policy.pattern.text) allows at least \(minimum) and at most \(maximum)")
      }
      guard let idle = policy.idleMilliseconds else { continue }
      guard durations ~= idle else {
        throw .limit("the policy for \(policy.pattern.text) deletes after \(idle) ms, allowed are \(durationText)")
      }
    }
  }

  /// Takes them from a checkpoint.
  mutating func load(_ saved: SwarmSettings) {
    take(saved)
    isKept = true
  }

  mutating func undo(_ previous: SwarmSettings) {
    take(previous)
  }

  private mutating func take(_ new: SwarmSettings) {
    settings = new
    deletesIdleKeys = new.policies.contains { $0.idleMilliseconds != nil }
  }
}
