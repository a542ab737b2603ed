/// Writes that nothing has overwritten or removed, each under its dot, in dot order ("DotFun" in Almeida, Shoker,
/// Baquero 2018).
///
/// Nearly always there is one: it lies inline, without an allocation. Several lie in a sorted array. Finding one is
/// O(log n), inserting and removing O(n).
@frozen
public struct DotFun<Value: Sendable>: Sendable {
  public typealias Element = (dot: Dot, value: Value)

  @usableFromInline
  @frozen
  enum Storage: Sendable {
    case none
    case one(Dot, Value)
    /// Sorted by dot, at least two.
    case many([Write])
  }

  @usableFromInline
  @frozen
  struct Write: Sendable {
    @usableFromInline let dot: Dot
    @usableFromInline let value: Value

    @inlinable
    init(_ dot: Dot, _ value: Value) {
      self.dot = dot
      self.value = value
    }
  }

  @usableFromInline var storage: Storage

  @inlinable
  public init() {
    storage = .none
  }

  @inlinable
  public init(_ dot: Dot, _ value: Value) {
    storage = .one(dot, value)
  }

  /// The position of the first write that is not before `dot`.
  @inlinable
  static func position(of dot: Dot, in writes: [Write]) -> Int {
    var low = 0
    var high = writes.count
    while low < high {
      let middle = (low + high) / 2
      if writes[middle].dot < dot { low = middle + 1 } else { high = middle }
    }
    return low
  }

  @inlinable
  public subscript(dot: Dot) -> Value? {
    switch storage {
    case .none: return nil
    case .one(let only, let value): return only == dot ? value : nil
    case .many(let writes):
      let position = Self.position(of: dot, in: writes)
      return position < writes.count && writes[position].dot == dot ? writes[position].value : nil
    }
  }

  @inlinable
  public func contains(_ dot: Dot) -> Bool {
    switch storage {
    case .none: return false
    case .one(let only, _): return only == dot
    case .many(let writes):
      let position = Self.position(of: dot, in: writes)
      return position < writes.count && writes[position].dot == dot
    }
  }

  /// Adds the write, or replaces the value of a write of the same dot.
  @inlinable
  public mutating func insert(_ dot: Dot, _ value: Value) {
    switch storage {
    case .none:
      storage = .one(dot, value)
    case .one(let only, _) where only == dot:
      storage = .one(dot, value)
    case .one(let only, let other):
      let writes = [Write(only, other), Write(dot, value)]
      storage = .many(only < dot ? writes : [writes[1], writes[0]])
    case .many(var writes):
      storage = .none
      let position = Self.position(of: dot, in: writes)
      if position < writes.count, writes[position].dot == dot {
        writes[position] = Write(dot, value)
      } else {
        writes.insert(Write(dot, value), at: position)
      }
      storage = .many(writes)
    }
  }

  /// Removes the writes that `isRemoved` picks and returns them, in dot order.
  @inlinable
  @discardableResult
  public mutating func removeAll(where isRemoved: (Dot, Value) throws -> Bool) rethrows -> [Element] {
    switch storage {
    case .none:
      return []
    case .one(let dot, let value):
      guard try isRemoved(dot, value) else { return [] }
      storage = .none
      return [(dot, value)]
    case .many(let writes):
      var kept: [Write] = []
      var removed: [Element] = []
      for write in writes {
        if try isRemoved(write.dot, write.value) {
          removed.append((write.dot, write.value))
        } else {
          kept.append(write)
        }
      }
      if !removed.isEmpty { setWrites(kept) }
      return removed
    }
  }

  /// Removes the write of `dot` and returns its value; nil if it is not there.
  @inlinable
  @discardableResult
  public mutating func removeValue(of dot: Dot) -> Value? {
    switch storage {
    case .one(let only, let value) where only == dot:
      storage = .none
      return value
    case .none, .one:
      return nil
    case .many(var writes):
      let position = Self.position(of: dot, in: writes)
      guard position < writes.count, writes[position].dot == dot else { return nil }
      storage = .none
      let value = writes.remove(at: position).value
      setWrites(writes)
      return value
    }
  }

  @inlinable
  mutating func setWrites(_ writes: [Write]) {
    switch writes.count {
    case 0: storage = .none
    case 1: storage = .one(writes[0].dot, writes[0].value)
    default: storage = .many(writes)
    }
  }
}

extension DotFun: RandomAccessCollection {
  @inlinable
  public var startIndex: Int { 0 }

  @inlinable
  public var endIndex: Int {
    switch storage {
    case .none: 0
    case .one: 1
    case .many(let writes): writes.count
    }
  }

  @inlinable
  public subscript(position: Int) -> Element {
    switch storage {
    case .one(let dot, let value) where position == 0: return (dot, value)
    case .many(let writes): return (writes[position].dot, writes[position].value)
    case .none, .one: preconditionFailure("position \(position) is outside of \(count) writes")
    }
  }
}

extension DotFun: Equatable where Value: Equatable {
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { $0.dot == $1.dot && $0.value == $1.value }
  }
}

extension DotFun: Hashable where Value: Hashable {
  @inlinable
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for (dot, value) in self {
      hasher.combine(dot)
      hasher.combine(value)
    }
  }
}
