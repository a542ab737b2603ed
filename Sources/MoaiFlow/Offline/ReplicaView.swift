import MoaiCRDT

/// A key as a replica shows it: what it has of the swarm, and over it what replicas wrote since (rule §5.6).
///
/// A pure function of the mirror and the overlay, by the rules that the journal will follow when it gets the writes: a
/// write hides what its writer had seen, of what is left the greatest by (timestamp, agent, value) is shown, sets keep
/// what any writer keeps, counters add up.
struct ReplicaView {
  let key: StateKey
  let mirrored: MirroredKey?
  let overlay: KeyOverlay?
  let epoch: Epoch?

  /// Nil: the key is absent.
  func reading() -> (type: CRDTType, value: StateValue)? {
    guard let type else { return nil }
    switch type {
    case .counter: return (type, .int(sum))
    case .register: return (type, shown(.whole) ?? .null)
    case .set: return (type, .array(elements.sorted()))
    case .map: return (type, .object(StateObject(ascending: fields.sorted { $0.name < $1.name })))
    }
  }

  /// Whether some of it is not in the journal yet, as far as this replica knows.
  var isPending: Bool { overlay != nil }

  /// The type of the key; nil: it is absent.
  var type: CRDTType? {
    if let mirrored, !isMirroredDeleted { return mirrored.type }
    guard let overlay else { return nil }
    // Whoever was first is likely to be first in the journal too.
    let creations = overlay[.creation].map(Array.init) ?? []
    let first = creations.min { left, right in
      left.value.timestamp == right.value.timestamp
        ? left.dot < right.dot : left.value.timestamp < right.value.timestamp
    }
    if case .created(let type, _)? = first?.value.content { return type }
    if overlay[.count] != nil { return .counter }
    var found: CRDTType?
    overlay.forEach { place, writes in
      guard case .part(let part) = place, writes.contains(where: { $0.value.value != nil }) else { return }
      found = part.type
    }
    return found
  }

  var strategy: KeyStrategy? {
    guard let creation = overlay?[.creation]?.first, case .created(_, let strategy) = creation.value.content else {
      return nil
    }
    return strategy
  }

  /// Whether somebody deleted all of what the mirror has of the key.
  private var isMirroredDeleted: Bool {
    guard let mirrored, let deletions = overlay?[.deletion] else { return false }
    if deletions.contains(where: { $0.value.hasSeen(mirrored.revision, of: epoch) }) { return true }
    guard mirrored.type != .counter else { return false }
    // Where others removed the rest, nothing is left that the deletion would spare.
    return mirrored.parts.allSatisfy { part in
      deletions.contains { $0.value.hasSeen(part.value.origin.revision, of: epoch) }
    }
  }

  var sum: Int64 {
    var sum = Int128(isMirroredDeleted ? 0 : mirrored?.sum ?? 0)
    for (_, write) in overlay?[.count] ?? DotFun() {
      if case .count(let amount) = write.content { sum += Int128(amount) }
    }
    return Int64(clamping: sum)
  }

  /// What the mirror shows of a part, unless an offline write hides it.
  func mirroredPart(_ part: Part) -> MirroredPart? {
    guard let known = mirrored?.parts[part] else { return nil }
    guard let overlay else { return known }
    func isHidden(by writes: DotFun<OverlayWrite>?) -> Bool {
      writes?.contains { $0.value.hasSeen(known.origin.revision, of: epoch) } ?? false
    }
    return isHidden(by: overlay[.part(part)]) || isHidden(by: overlay[.deletion]) ? nil : known
  }

  /// The value of a part; nil: it is not there.
  func shown(_ part: Part) -> StateValue? {
    let known = mirroredPart(part)
    guard let writes = overlay?[.part(part)] else { return known?.value }
    var best = known.map { (time: $0.origin.timestamp, agent: $0.origin.agent, value: $0.value) }
    for (_, write) in writes {
      guard let value = write.value else { continue }
      if let current = best {
        if write.timestamp < current.time { continue }
        if write.timestamp == current.time, write.agent < current.agent { continue }
        if write.timestamp == current.time, write.agent == current.agent, value < current.value { continue }
      }
      best = (write.timestamp, write.agent, value)
    }
    return best?.value
  }

  /// Every part that is there, in no particular order.
  var parts: [Part] {
    var parts = mirrored.map { Array($0.parts.keys) } ?? []
    overlay?.forEach { place, _ in
      if case .part(let part) = place, mirrored?.parts[part] == nil { parts.append(part) }
    }
    return overlay == nil ? parts : parts.filter { shown($0) != nil }
  }

  private var elements: [StateValue] {
    parts.compactMap { if case .element(let element) = $0 { element } else { nil } }
  }

  private var fields: [StateObject.Field] {
    parts.compactMap { part in
      guard case .field(let name) = part, let value = shown(part) else { return nil }
      return StateObject.Field(name, value)
    }
  }
}

extension Part {
  /// The type of values that have such parts.
  var type: CRDTType {
    switch self {
    case .whole: .register
    case .field: .map
    case .element: .set
    }
  }
}
