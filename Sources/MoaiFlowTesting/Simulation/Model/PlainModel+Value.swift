import MoaiCRDT
import MoaiFlow

extension PlainModel.Key {
  var exactSum: Int128 { shares.values.reduce(0) { $0 + Int128($1) } }

  /// What is shown of a part: the greatest by (timestamp, agent, value); of two writes of one entry, the later one
  /// has replaced the earlier.
  private func shown(_ part: PlainModel.Part) -> PlainModel.Standing? {
    var best: PlainModel.Standing?
    for write in standing where write.part == part {
      if let current = best {
        if write.timestamp < current.timestamp { continue }
        if write.timestamp == current.timestamp, write.agent.name < current.agent.name { continue }
        if write.timestamp == current.timestamp, write.agent == current.agent, write.value < current.value { continue }
      }
      best = write
    }
    return best
  }

  /// Each part that stands, once, in canonical order.
  private var fields: [UTF8String] {
    var names: [UTF8String] = []
    for write in standing { if case .field(let name) = write.part, !names.contains(name) { names.append(name) } }
    return names.sorted()
  }

  private var elements: [StateValue] {
    var elements: [StateValue] = []
    for write in standing {
      if case .element(let element) = write.part, !elements.contains(element) { elements.append(element) }
    }
    return elements.sorted()
  }

  var value: StateValue {
    switch type {
    case .counter: .int(Int64(exactSum))
    case .register: shown(.whole)?.value ?? .null
    case .set: .array(elements)
    case .map:
      .object(StateObject(ascending: fields.map { StateObject.Field($0, shown(.field($0))?.value ?? .null) }))
    }
  }

  /// What a reader is shown beside the value under the strategy `vector`.
  var siblings: StateValue? {
    guard strategy == .vector else { return nil }
    func others(_ part: PlainModel.Part) -> [StateValue] {
      let shown = shown(part)?.value
      var values: [StateValue] = []
      for write in standing where write.part == part && write.value != shown && !values.contains(write.value) {
        values.append(write.value)
      }
      return Array(values.sorted().prefix(16))
    }
    switch type {
    case .register:
      let values = others(.whole)
      return values.isEmpty ? nil : .array(values)
    case .map:
      let found = fields.map { ($0, others(.field($0))) }.filter { !$0.1.isEmpty }
      return found.isEmpty
        ? nil : .object(StateObject(ascending: found.map { StateObject.Field($0.0, .array($0.1)) }))
    case .set, .counter: return nil
    }
  }
}
