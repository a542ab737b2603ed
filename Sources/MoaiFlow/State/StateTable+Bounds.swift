import MoaiCRDT

extension StateTable {
  /// Judges the step that a counter has made in this entry by its bounds (rule §4.6). A replica's step first uses up what
  /// was reserved for it; only the rest must leave room for the others.
  mutating func spend(
    _ slot: Int, from sum: Int64, _ bounds: CounterBounds?, in transaction: inout Transaction
  ) throws(StateRefusal) {
    guard case .counter(let counter) = keys[slot].record.contents, counter.sum != sum else { return }
    var rest = Int128(counter.sum) - Int128(sum)
    if let replica = transaction.offline?.replica, let right = counter.rights[replica] {
      var left = right
      if rest < 0 {
        left.down -= Int64(min(Int128(right.down), -rest))
        rest += Int128(right.down - left.down)
      } else {
        left.up -= Int64(min(Int128(right.up), rest))
        rest -= Int128(right.up - left.up)
      }
      setRight(left, of: replica, in: slot, &transaction)
    }
    guard let bounds, bounds.isBounded else { return }
    if rest != 0 { return try check(slot, after: sum, bounds) }
    // A right was granted by the bound of its time. What others have spent while there was none counts all the same.
    guard bounds.allows(counter.sum, after: sum, reserved: CounterRight()) else {
      throw .boundExceeded(keys.id(of: slot), sum: counter.sum, bounds, reserved: CounterRight())
    }
  }

  /// - Throws: `.boundExceeded` if the counter has moved from `sum` across a bound, or into what is reserved.
  func check(_ slot: Int, after sum: Int64, _ bounds: CounterBounds) throws(StateRefusal) {
    guard case .counter(let counter) = keys[slot].record.contents else { return }
    let reserved = counter.reserved
    guard bounds.allows(counter.sum, after: sum, reserved: reserved) else {
      throw .boundExceeded(keys.id(of: slot), sum: counter.sum, bounds, reserved: reserved)
    }
  }

  /// Gives a replica the right to move a counter; nil takes it back.
  mutating func setRight(
    _ right: CounterRight?, of replica: ReplicaID, in slot: Int, _ transaction: inout Transaction
  ) {
    guard case .counter(var counter) = keys[slot].record.contents else { return }
    let old = counter.rights[replica]
    keys[slot].record.contents = .deleted
    counter.setRight(right, of: replica)
    keys[slot].record.contents = .counter(counter)
    transaction.record(.right(slot: slot, replica: replica, old: old))
  }
}
