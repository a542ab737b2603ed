import MoaiCRDT

/// Turns a write as it was asked for into the operations of a delta, by what the replica shows.
struct ReplicaPlanner {
  let state: ReplicaState

  /// One delta's writes. A write that changes nothing, such as deleting what is not there, is left out.
  func plan(_ requests: [WriteRequest]) throws(ReplicaError) -> [KeyWrite] {
    guard !requests.isEmpty else { throw .invalid(field: "/writes", "no writes") }
    var writes: [KeyWrite] = []
    var seen: Set<StateKey> = []
    for (index, request) in requests.enumerated() {
      let field = requests.count == 1 ? "" : "/writes/\(index)"
      guard seen.insert(request.key).inserted else {
        throw .invalid(field: "\(field)/state_key", "\(request.key) stands twice; put its operations into one write")
      }
      if let write = try plan(request, field: field) { writes.append(write) }
    }
    let numbers = writes.reduce(0) { $0 + $1.numbers }
    guard numbers <= UInt64(ReplicaDelta.numberLimit) else {
      throw .invalid(field: "/writes", "more than \(ReplicaDelta.numberLimit) operations in one write")
    }
    return writes
  }

  private func plan(_ request: WriteRequest, field: String) throws(ReplicaError) -> KeyWrite? {
    guard request.base == nil, request.ifRevision == nil else {
      throw .invalid(
        field: "\(field)/\(request.base == nil ? "if_revision" : "base")",
        "a replica writes over what it shows and knows no other base")
    }
    let policy = state.settings.policy(for: request.key)
    if let policy, !policy.allows(state.agent) {
      throw .invalid(field: "\(field)/state_key", "the policy of \(request.key) does not let \(state.agent) write it")
    }
    let view = state.view(of: request.key)
    let content: KeyWrite.Content
    switch request.content {
    case .share: throw .invalid(field: "\(field)/share", "a replica does not know its agent's share; use an increment")
    case .delete:
      guard view.type != nil else { return nil }
      return KeyWrite(key: request.key, content: .delete)
    case .operations(let operations):
      guard let first = operations.first else { throw .invalid(field: "\(field)/ops", "no operations") }
      let type = view.type ?? policy?.type ?? request.type ?? first.type
      for (index, operation) in operations.enumerated() {
        guard operation.type == type else { throw .typeMismatch(request.key, holds: type, asked: operation.type) }
        if case .share = operation {
          throw .invalid(field: "\(field)/ops/\(index)", "a replica does not know its agent's share; use an increment")
        }
        if let value = operation.value { try check(value, field: "\(field)/ops/\(index)", isPart: type != .register) }
      }
      if view.type == nil, !operations.contains(where: \.creates) { return nil }
      content = .operations(operations)
    case .value(let value, let replacing):
      try check(value, field: "\(field)/value")
      let type = view.type ?? policy?.type ?? request.type ?? .register
      if let asked = request.type, asked != type { throw .typeMismatch(request.key, holds: type, asked: asked) }
      content = .value(type, try operations(showing: value, type, view, replacing: replacing, field: field))
    }
    let write = KeyWrite(
      key: request.key, content: content, declaredType: view.type == nil ? request.type : nil,
      strategy: view.type == nil ? request.strategy : nil)
    try checkRights(write, view, policy)
    return write
  }

  /// A whole value over what is shown (rule §4.4): what it names is written where it differs; only a replacing one removes
  /// what it leaves out.
  private func operations(
    showing value: StateValue, _ type: CRDTType, _ view: ReplicaView, replacing: Bool, field: String
  ) throws(ReplicaError) -> [StateOperation] {
    var operations: [StateOperation] = []
    var named: Set<Part> = []
    switch (type, value) {
    case (.register, _): return [.assign(value)]
    case (.counter, .int(let number)):
      let (step, overflows) = number.subtractingReportingOverflow(view.type == .counter ? view.sum : 0)
      guard !overflows else { throw .invalid(field: "\(field)/value", "the difference leaves the 64-bit integers") }
      return [.increment(step)]
    case (.set, .array(let elements)):
      for element in Set(elements).sorted() {
        named.insert(.element(element))
        if view.shown(.element(element)) == nil { operations.append(.add(element)) }
      }
    case (.map, .object(let object)):
      for one in object.fields {
        named.insert(.field(one.name))
        if view.shown(.field(one.name)) != one.value { operations.append(.put(field: one.name, one.value)) }
      }
    default:
      let expected = type == .counter ? "an integer" : type == .set ? "an array" : "an object"
      throw .invalid(field: "\(field)/value", "the key holds a \(type.rawValue): \(expected) is expected")
    }
    guard replacing, view.type == type else { return operations }
    for part in view.parts.sorted(by: { $0.precedes($1) }) where !named.contains(part) {
      switch part {
      case .field(let name): operations.append(.removeField(name))
      case .element(let element): operations.append(.remove(element))
      case .whole: break
      }
    }
    return operations
  }

  /// A step towards a bound needs a right that was reserved online (rule §4.6).
  private func checkRights(_ write: KeyWrite, _ view: ReplicaView, _ policy: KeyPolicy?) throws(ReplicaError) {
    guard let bounds = policy?.bounds, bounds.isBounded else { return }
    let step = write.operations.step
    let right = state.rights[write.key] ?? CounterRight()
    if bounds.minimum != nil, step < 0, -step > Int128(right.down) { throw .noRights(write.key, has: right) }
    if bounds.maximum != nil, step > 0, step > Int128(right.up) { throw .noRights(write.key, has: right) }
  }

  private func check(_ value: StateValue, field: String, isPart: Bool = false) throws(ReplicaError) {
    var limits = ValueLimits(encodedBytes: state.settings.limits.valueBytes)
    if isPart { limits.depth -= 1 }
    do { try limits.check(value) } catch { throw .invalid(field: field, "\(error)") }
  }
}
