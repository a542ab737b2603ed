import MoaiCRDT

/// Why a state cannot be seen as one value.
enum ViewFault: Error {
  /// The agent's contribution is nothing that the type can hold.
  case misfit(agent: UTF8String, CRDTType)
  /// The sum is no 64-bit integer, or as a double not finite.
  case sumOutOfRange
}

extension SnapshotState {
  /// The value that all contributions together are seen as. O(n log n).
  func view() throws(ViewFault) -> StateValue {
    let type = type
    for contribution in contributions where !type.canHold(contribution.value) {
      throw .misfit(agent: contribution.agent, type)
    }
    switch type {
    case .counter: return try sum()
    case .set: return union()
    case .map: return newestFields()
    case .register: return newest.value
    }
  }

  /// What a register shows.
  var newest: Contribution {
    contributions.dropFirst().reduce(contributions[0]) { Contribution.isNewer($1, than: $0) ? $1 : $0 }
  }

  private func sum() throws(ViewFault) -> StateValue {
    var integers: Int128 = 0
    var doubles: ExactSum?
    for contribution in contributions {
      switch contribution.value {
      case .int(let number): integers += Int128(number)
      case .double(let number):
        if doubles == nil { doubles = ExactSum() }
        doubles?.add(number)
      default: break
      }
    }
    if var exact = doubles {
      exact.add(integers)
      guard let sum = StateValue(finite: exact.rounded) else { throw .sumOutOfRange }
      return sum
    }
    guard let sum = Int64(exactly: integers) else { throw .sumOutOfRange }
    return .int(sum)
  }

  private func union() -> StateValue {
    let all = contributions.flatMap { $0.value.arrayValue ?? [] }.sorted()
    var distinct: [StateValue] = []
    distinct.reserveCapacity(all.count)
    for element in all where distinct.last != element { distinct.append(element) }
    return .array(distinct)
  }

  /// Of each field the greatest by (timestamp, agent, canonical value); an agent has one value of a field, so the agent
  /// decides at the latest.
  private func newestFields() -> StateValue {
    var all: [(field: StateObject.Field, contribution: Int)] = []
    for (index, contribution) in contributions.enumerated() {
      for field in contribution.value.objectValue?.fields ?? [] { all.append((field, index)) }
    }
    all.sort { left, right in
      left.field.name == right.field.name
        ? Contribution.isNewer(contributions[left.contribution], than: contributions[right.contribution])
        : left.field.name < right.field.name
    }
    var fields: [StateObject.Field] = []
    for (field, _) in all where fields.last?.name != field.name { fields.append(field) }
    return .object(StateObject(ascending: fields))
  }
}
