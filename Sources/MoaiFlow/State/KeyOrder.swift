import MoaiCRDT

/// The keys of a swarm in the order of their UTF-8 bytes, for listing.
///
/// Writers only append the slots of new keys; the first listing after that sorts them in: O(n + k log k) for k new
/// ones among n. Listing itself costs a binary search and what it returns.
struct KeyOrder: Sendable {
  private var sorted: [Int32] = []
  private var pending: [Int32] = []

  mutating func insert(_ slot: Int) {
    pending.append(Int32(slot))
  }

  /// Slots whose keys begin with `prefix`, those after `key` only, in order, until `body` returns false.
  mutating func forEach(
    in keys: Table<StateKey, KeyRecord>, prefix: [UInt8], after key: StateKey?, _ body: (Int) -> Bool
  ) {
    sortIn(keys)
    let prefixText = String(decoding: prefix, as: UTF8.self)
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      let candidate = keys.id(of: Int(sorted[middle]))
      let isBefore = key.map { candidate <= $0 } ?? false || compareUTF8(candidate.name.string, prefixText) < 0
      if isBefore { low = middle + 1 } else { high = middle }
    }
    while low < sorted.count {
      let slot = Int(sorted[low])
      guard keys.id(of: slot).name.string.utf8.starts(with: prefix) else { return }
      if !body(slot) { return }
      low += 1
    }
  }

  private mutating func sortIn(_ keys: Table<StateKey, KeyRecord>) {
    guard !pending.isEmpty else { return }
    pending.sort { keys.id(of: Int($0)) < keys.id(of: Int($1)) }
    var merged: [Int32] = []
    merged.reserveCapacity(sorted.count + pending.count)
    var old = sorted[...]
    for slot in pending {
      while let first = old.first, keys.id(of: Int(first)) < keys.id(of: Int(slot)) {
        merged.append(first)
        old.removeFirst()
      }
      if old.first != slot, merged.last != slot { merged.append(slot) }
    }
    merged.append(contentsOf: old)
    sorted = merged
    pending.removeAll()
  }
}
