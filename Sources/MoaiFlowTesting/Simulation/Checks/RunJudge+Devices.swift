import MoaiFlow

extension RunJudge {
  private static let ledger = StateKey(simulated: SimulatedDevice.ledger)
  private static let ledgerCount = StateKey(simulated: SimulatedDevice.ledgerCount)

  /// A delta enters whole and once: each adds an element that no other has, and counts one (rule §5.6).
  mutating func judgeLedger(_ model: PlainModel, at revision: Revision) {
    let elements = model.value(of: RunJudge.ledger)?.arrayValue?.count ?? 0
    guard case .int(let count) = model.value(of: RunJudge.ledgerCount) ?? 0, Int(count) != elements else { return }
    violation("§5.6", "at \(revision) the ledger has \(elements) elements, and counts \(count)")
  }

  /// Everybody came home: all devices have what the swarm has, and the swarm has everything that they wrote, unless a
  /// rule refused it or its files were lost.
  mutating func judgeDevices(_ chronicle: Chronicle) {
    let settled = chronicle.settled ?? chronicle.model
    let expected = settled.values
    // A trim that comes last may let keys go that nobody changed.
    let lastChange = settled.history.values.compactMap { $0.last?.revision }.max() ?? 0
    for device in final.devices {
      guard let cursor = device.cursor, cursor.epoch == final.epoch else {
        violation("§5.6", "\(device.name) ends in another epoch")
        continue
      }
      if cursor.revision >= lastChange, device.values != expected {
        violation("§5.6", "\(device.name) ends with something else: \(difference(device.values, expected))")
      }
    }
    guard eras.count == 1 else { return }
    var excused: Set<StateValue> = []
    for device in final.devices {
      excused.formUnion(device.mayBeLost)
      for delta in device.doubtful { excused.formUnion(delta.writes.flatMap(\.addedElements)) }
    }
    for step in chronicle.entries {
      if case .kept = step.verdict { excused.formUnion(step.entry.writes.flatMap(\.addedElements)) }
    }
    let there = Set(chronicle.model.value(of: RunJudge.ledger)?.arrayValue ?? [])
    for device in final.devices {
      for element in device.entered where !there.contains(element) && !excused.contains(element) {
        violation("§10.1", "\(device.name) wrote \(element) into the ledger, was told so, and it is not there")
      }
    }
  }
}

extension KeyWrite {
  fileprivate var addedElements: [StateValue] {
    switch content {
    case .operations(let operations), .value(_, let operations):
      operations.compactMap { if case .add(let element) = $0 { element } else { nil } }
    case .delete: []
    }
  }
}
