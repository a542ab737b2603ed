public import MoaiCRDT

/// The writes that no other known write has seen (rule §3.6): a set of (clock, value) without a dominated clock, each
/// with the greatest (timestamp, agent, version) it was seen with.
///
/// The join of two states is the undominated part of their union; it is commutative, associative and idempotent.
public struct VectorState: Hashable, Sendable {
  public struct Element: Hashable, Sendable {
    public let value: StateValue
    public let clock: VectorClock<UTF8String>
    public let timestamp: Timestamp
    public let agent: UTF8String
    public let version: Int64
  }

  /// At least two, greatest first in the order of rule §3.4: the first is the one that is shown. (A join that leaves
  /// one write returns the version that made it and needs no state.)
  public let elements: [Element]

  var shown: Element { elements[0] }

  /// Those that are not shown.
  public var siblings: ArraySlice<Element> { elements.dropFirst() }

  /// The join of the elements' clocks. O(entries).
  public var clock: VectorClock<UTF8String> {
    siblings.reduce(into: elements[0].clock) { $0.merge($1.clock) }
  }

  /// For elements that are known to be concurrent.
  init(concurrent elements: [Element]) {
    self.elements = elements.sorted { Element.lwwOrder($0, $1) > 0 }
  }

  /// For elements that are known to be concurrent and sorted, greatest first.
  init(descending elements: [Element]) {
    self.elements = elements
  }
}

extension StateVersion {
  /// The version as one write, without regard to a state that it carries. An absent or empty clock is
  /// {agent: version + 1} (rule §3.6).
  var write: VectorState.Element {
    let clock: VectorClock<UTF8String> =
      if let vectorClock, !vectorClock.isEmpty { vectorClock } else {
        VectorClock(CollectionOfOne((agent, UInt64(version) + 1)))
      }
    return VectorState.Element(value: value, clock: clock, timestamp: timestamp, agent: agent, version: version)
  }
}

extension VectorState.Element {
  /// The order of rule §3.4.
  static func lwwOrder(_ left: Self, _ right: Self) -> Int {
    let stamps = stampOrder(left, right)
    if stamps != 0 { return stamps }
    let values = StateValue.canonicalOrder(left.value, right.value)
    if values != 0 || left.clock == right.clock { return values }
    return StateValue.canonicalOrder(.object(left.clock.json), .object(right.clock.json))
  }

  /// The order of (timestamp, agent, version).
  static func stampOrder(_ left: Self, _ right: Self) -> Int {
    if left.timestamp != right.timestamp { return left.timestamp < right.timestamp ? -1 : 1 }
    let agents = compareUTF8(left.agent.string, right.agent.string)
    if agents != 0 { return agents }
    return left.version == right.version ? 0 : left.version < right.version ? -1 : 1
  }
}

/// The join under construction: every element with the input that brought it.
struct VectorJoin {
  struct Candidate {
    var element: VectorState.Element
    /// The index of an input whose own write this is; nil where it came out of an input's state.
    var source: Int?
  }

  private(set) var candidates: [Candidate] = []

  init(reservingCapacity capacity: Int) {
    candidates.reserveCapacity(capacity)
  }

  /// Joins one write. O(candidates), and a comparison of two concurrent clocks stops early.
  ///
  /// - Parameter isPreferred: whether this input is to be returned rather than the one at the given index, where both
  ///   made the same write.
  mutating func insert(_ element: VectorState.Element, source: Int?, isPreferred: (Int) -> Bool) {
    var index = 0
    while index < candidates.count {
      switch element.clock.compare(to: candidates[index].element.clock) {
      case .before: return
      case .concurrent: index += 1
      case .after:
        // An antichain: whatever is before the new one cannot stand beside anything that is after it.
        candidates.swapAt(index, candidates.count - 1)
        candidates.removeLast()
      case .equal:
        if candidates[index].element.value == element.value {
          merge(element, source: source, into: &candidates[index], isPreferred: isPreferred)
          return
        }
        index += 1
      }
    }
    candidates.append(Candidate(element: element, source: source))
  }

  private func merge(
    _ element: VectorState.Element, source: Int?, into candidate: inout Candidate, isPreferred: (Int) -> Bool
  ) {
    let order = VectorState.Element.stampOrder(element, candidate.element)
    if order > 0 {
      candidate = Candidate(element: element, source: source)
    } else if order == 0, let source {
      if let present = candidate.source, !isPreferred(present) { return }
      candidate.source = source
    }
  }

  var elements: [VectorState.Element] { candidates.map(\.element) }
}
