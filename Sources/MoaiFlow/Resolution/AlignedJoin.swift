import MoaiCRDT

/// The fast lane of the vector join, for the usual case: plain versions whose clocks all name the same agents.
///
/// The numbers are copied once into a matrix, one row a version; from there on comparing and joining touch no text, no
/// array header and no reference count. Any other input goes through ``VectorJoin``, which says the same, slower.
enum AlignedJoin {
  /// The index of the one version that no other dominates, of equal ones the greatest.
  case one(Int)
  /// Descending by the order of rule §3.4, with the join of all clocks.
  case several([VectorState.Element], clock: VectorClock<UTF8String>)

  /// The largest matrix, 512 KiB: one clock can be long and the other versions many without any being alike.
  private static let maxNumbers = 1 << 16

  /// Nil where a version carries joined writes or has no clock, or the agents differ, or there is too much to copy.
  init?(_ versions: [StateVersion]) {
    guard let agents = versions[0].vectorClock?.entries, !agents.isEmpty else { return nil }
    let width = agents.count
    guard versions.count < AlignedJoin.maxNumbers / width else { return nil }
    // The first row is for the join.
    let join = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: (versions.count + 1) * width) { numbers in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: versions.count) { kept -> AlignedJoin? in
        let matrix = UnsafeMutableBufferPointer(rebasing: numbers[width...])
        guard AlignedJoin.copy(versions, agents: agents, into: matrix) else { return nil }
        let rows = Rows(numbers: UnsafeBufferPointer(matrix), width: width)
        let count = AlignedJoin.keepUndominated(versions, rows, in: kept)
        guard count > 1 else { return .one(kept[0]) }
        let indices = UnsafeMutableBufferPointer(rebasing: kept[..<count])
        AlignedJoin.sortDescending(indices, versions)
        let greatest = UnsafeMutableBufferPointer(rebasing: numbers[..<width])
        rows.join(indices, into: greatest)
        return .several(
          indices.map { versions[$0].write }, clock: VectorClock(zip(agents.lazy.map(\.id), greatest)))
      }
    }
    guard let join else { return nil }
    self = join
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
            for column in agents.indices {
              guard entries[column].id == agents[column].id else { return false }
              numbers.initializeElement(at: start + column, to: entries[column].number)
            }
            return true
          }
          guard isAligned else { return false }
        }
        return true
      }
    }
  }

  /// Writes the indices of the undominated rows to the front of `kept` and returns how many they are.
  private static func keepUndominated(
    _ versions: [StateVersion], _ rows: Rows, in kept: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    var count = 0
    next: for candidate in versions.indices {
      var place = 0
      while place < count {
        switch rows.order(candidate, kept[place]) {
        case .before: continue next
        case .concurrent: place += 1
        case .after:
          count -= 1
          kept[place] = kept[count]
        case .equal:
          guard versions[candidate].value == versions[kept[place]].value else {
            place += 1
            continue
          }
          if StateVersion.lwwOrder(versions[candidate], versions[kept[place]]) > 0 { kept[place] = candidate }
          continue next
        }
      }
      kept.initializeElement(at: count, to: candidate)
      count += 1
    }
    return count
  }

  private static func sortDescending(_ indices: UnsafeMutableBufferPointer<Int>, _ versions: [StateVersion]) {
    var indices = indices
    versions.withUnsafeBufferPointer { versions in
      indices.sort { left, right in
        if versions[left].timestamp != versions[right].timestamp {
          return versions[left].timestamp > versions[right].timestamp
        }
        return VectorState.Element.lwwOrder(versions[left].write, versions[right].write) > 0
      }
    }
  }
}

private struct Rows {
  let numbers: UnsafeBufferPointer<UInt64>
  let width: Int

  /// Looks at eight columns between two decisions: a branch on every number would be guessed wrong every other time.
  /// Numbers of a version's clock are below 2⁶³, so the sign of a difference says which one is greater.
  func order(_ left: Int, _ right: Int) -> CausalOrder {
    guard let base = numbers.baseAddress else { return .equal }
    let l = base + left * width
    let r = base + right * width
    var more: UInt64 = 0
    var less: UInt64 = 0
    var column = 0
    while column < width {
      let end = min(column + 8, width)
      while column < end {
        more |= r[column] &- l[column]
        less |= l[column] &- r[column]
        column += 1
      }
      if more & less & (1 << 63) != 0 { return .concurrent }
    }
    return more >> 63 == 1 ? .after : less >> 63 == 1 ? .before : .equal
  }

  /// Of every column the greatest number in the rows.
  func join(_ rows: UnsafeMutableBufferPointer<Int>, into greatest: UnsafeMutableBufferPointer<UInt64>) {
    for column in 0..<width { greatest.initializeElement(at: column, to: 0) }
    for row in rows {
      for column in 0..<width { greatest[column] = max(greatest[column], numbers[row * width + column]) }
    }
  }
}
