import MoaiCRDT

/// The fast lane of the vector join, for the usual case: plain versions whose clocks all name the same agents.
///
/// The numbers are copied once into a matrix, one row a version; from there on comparing and joining touch no text, no
/// array header and no reference count. Any other input goes through ``VectorJoin``, which says the same, slower.
struct AlignedClocks {
  /// The indices of the undominated versions, of those with the same clock and value only the greatest; descending by
  /// the order of rule §3.4.
  let undominated: [Int]
  /// The join of all clocks; nil where one version is left.
  let clock: VectorClock<UTF8String>?

  /// Nil where a version carries joined writes or has no clock, or the agents differ.
  init?(_ versions: [StateVersion]) {
    guard let first = versions[0].vectorClock?.entries, !first.isEmpty else { return nil }
    let width = first.count
    let found = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: (versions.count + 1) * width) {
      numbers -> (undominated: [Int], clock: VectorClock<UTF8String>?)? in
      let matrix = UnsafeMutableBufferPointer(rebasing: numbers[width...])
      guard AlignedClocks.copy(versions, agents: first, into: matrix) else { return nil }
      let rows = Rows(numbers: UnsafeBufferPointer(matrix), width: width)
      let undominated = AlignedClocks.antichain(versions, rows)
      guard undominated.count > 1 else { return (undominated, nil) }
      let greatest = UnsafeMutableBufferPointer(rebasing: numbers[..<width])
      rows.join(undominated, into: greatest)
      return (undominated, VectorClock(zip(first.lazy.map(\.id), greatest)))
    }
    guard let found else { return nil }
    clock = found.clock
    undominated =
      found.undominated.count > 1 ? AlignedClocks.descending(found.undominated, versions) : found.undominated
  }

  private static func descending(_ indices: [Int], _ versions: [StateVersion]) -> [Int] {
    var sorted = indices
    versions.withUnsafeBufferPointer { versions in
      sorted.sort { left, right in
        if versions[left].timestamp != versions[right].timestamp {
          return versions[left].timestamp > versions[right].timestamp
        }
        return VectorState.Element.lwwOrder(.init(versions[left]), .init(versions[right])) > 0
      }
    }
    return sorted
  }

  private static func copy(
    _ versions: [StateVersion], agents: [VectorClock<UTF8String>.Entry],
    into numbers: UnsafeMutableBufferPointer<UInt64>
  ) -> Bool {
    versions.withUnsafeBufferPointer { versions in
      agents.withUnsafeBufferPointer { agents in
        for row in versions.indices {
          guard versions[row].crdtState == nil, let entries = versions[row].vectorClock?.entries,
            entries.count == agents.count
          else { return false }
          let start = row * agents.count
          let isAligned = entries.withUnsafeBufferPointer { entries in
            var isAligned = true
            for column in agents.indices {
              isAligned = hasSameBits(entries[column].id.string, agents[column].id.string) && isAligned
              numbers.initializeElement(at: start + column, to: entries[column].number)
            }
            return isAligned
          }
          guard isAligned else { return false }
        }
        return true
      }
    }
  }

  private static func antichain(_ versions: [StateVersion], _ rows: Rows) -> [Int] {
    var kept: [Int] = []
    kept.reserveCapacity(min(versions.count, 16))
    next: for candidate in versions.indices {
      var place = 0
      while place < kept.count {
        switch rows.order(candidate, kept[place]) {
        case .before: continue next
        case .concurrent: place += 1
        case .after:
          kept.swapAt(place, kept.count - 1)
          kept.removeLast()
        case .equal:
          guard versions[candidate].value == versions[kept[place]].value else {
            place += 1
            continue
          }
          if StateVersion.lwwOrder(versions[candidate], versions[kept[place]]) > 0 { kept[place] = candidate }
          continue next
        }
      }
      kept.append(candidate)
    }
    return kept
  }
}

private struct Rows {
  let numbers: UnsafeBufferPointer<UInt64>
  let width: Int

  /// Looks at eight columns between two decisions: a branch on every number would be guessed wrong every other time.
  func order(_ left: Int, _ right: Int) -> CausalOrder {
    let l = left * width
    let r = right * width
    var hasMore = false
    var hasLess = false
    var column = 0
    while column < width {
      let end = min(column + 8, width)
      while column < end {
        hasMore = (numbers[l + column] > numbers[r + column]) || hasMore
        hasLess = (numbers[l + column] < numbers[r + column]) || hasLess
        column += 1
      }
      if hasMore, hasLess { return .concurrent }
    }
    return hasMore ? .after : hasLess ? .before : .equal
  }

  /// Of every column the greatest number in the rows.
  func join(_ rows: [Int], into greatest: UnsafeMutableBufferPointer<UInt64>) {
    for column in 0..<width { greatest.initializeElement(at: column, to: 0) }
    for row in rows {
      for column in 0..<width { greatest[column] = max(greatest[column], numbers[row * width + column]) }
    }
  }
}
