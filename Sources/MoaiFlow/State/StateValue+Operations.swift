import MoaiCRDT

extension StateValue {
  /// The value after the operations of one change; nil if they are not for such a value. A nil value is absent.
  ///
  /// O(n + k log k) for k operations on a value of n parts, which are in order before and after.
  public static func applying(_ operations: [StateOperation], to value: StateValue?) -> StateValue? {
    guard let first = operations.first else { return value }
    switch first.type {
    case .register: return assigned(by: operations)
    case .counter: return counted(operations, from: value ?? 0)
    case .set: return changedSet(operations, from: value ?? [])
    case .map: return changedMap(operations, from: value ?? [:])
    }
  }

  private static func assigned(by operations: [StateOperation]) -> StateValue? {
    guard case .assign(let value)? = operations.last else { return nil }
    return value
  }

  private static func counted(_ operations: [StateOperation], from value: StateValue) -> StateValue? {
    guard case .int(var sum) = value else { return nil }
    for operation in operations {
      guard case .increment(let amount) = operation else { return nil }
      let (next, overflowed) = sum.addingReportingOverflow(amount)
      guard !overflowed else { return nil }
      sum = next
    }
    return .int(sum)
  }

  private static func changedSet(_ operations: [StateOperation], from value: StateValue) -> StateValue? {
    guard case .array(let elements) = value else { return nil }
    var isIn: [StateValue: Bool] = [:]
    for operation in operations {
      switch operation {
      case .add(let element): isIn[element] = true
      case .remove(let element): isIn[element] = false
      default: return nil
      }
    }
    let changes = isIn.sorted { $0.key < $1.key }
    return .array(
      elements.merging(changes, by: { $0.key }, orderedBy: { $0 }, replacedBy: { $0.value ? $0.key : nil }))
  }

  private static func changedMap(_ operations: [StateOperation], from value: StateValue) -> StateValue? {
    guard case .object(let object) = value else { return nil }
    var last: [UTF8String: StateValue?] = [:]
    for operation in operations {
      switch operation {
      case .put(let field, let value): last[field] = .some(value)
      case .removeField(let field): last[field] = .some(nil)
      default: return nil
      }
    }
    let changes = last.sorted { $0.key < $1.key }
    return .object(
      StateObject(
        ascending: object.fields.merging(
          changes, by: { $0.key }, orderedBy: { $0.name },
          replacedBy: { change in
            change.value.map { .init(change.key, $0) }
          })))
  }
}

extension Array {
  /// This ascending array with the elements that ascending changes name replaced, added or (nil) left out. One pass.
  fileprivate func merging<Change, Key: Comparable>(
    _ changes: [Change], by key: (Change) -> Key, orderedBy place: (Element) -> Key,
    replacedBy replacement: (Change) -> Element?
  ) -> [Element] {
    var merged: [Element] = []
    merged.reserveCapacity(count + changes.count)
    var next = startIndex
    for change in changes {
      let key = key(change)
      // Skips what lies before the change by halving: few changes cost few comparisons.
      var low = next
      var high = endIndex
      while low < high {
        let middle = low + (high - low) / 2
        if place(self[middle]) < key { low = middle + 1 } else { high = middle }
      }
      merged.append(contentsOf: self[next..<low])
      next = low < endIndex && place(self[low]) == key ? low + 1 : low
      if let element = replacement(change) { merged.append(element) }
    }
    merged.append(contentsOf: self[next...])
    return merged
  }
}
