import HeapModule

/// What falls due when journal time passes. Kinds are added with the facets that need them.
enum DeadlineID: Hashable, Sendable, Comparable {
  /// The agent's oldest remembered command leaves the window.
  case forgetCommands(AgentIndex)
  /// A key that nobody changed for as long as its policy keeps it may go; by its slot.
  case deleteIdleKey(Int)
  /// A replica that sent nothing for long may be closed; by its slot.
  case closeReplica(Int)

  private var order: (Int, Int) {
    switch self {
    case .forgetCommands(let agent): (0, Int(agent))
    case .deleteIdleKey(let slot): (1, slot)
    case .closeReplica(let slot): (2, slot)
    }
  }

  static func < (left: Self, right: Self) -> Bool { left.order < right.order }
}

/// The deadlines of a swarm, fired in (instant, id) order before an entry applies.
///
/// Journal time is the only clock that reaches them, so every replay fires the same ones at the same revisions.
/// Setting costs O(log n); a deadline that was moved leaves its old place in the heap to be skipped.
struct Deadlines: Sendable {
  private struct Item: Comparable, Sendable {
    let instant: Int64
    let id: DeadlineID

    static func < (left: Self, right: Self) -> Bool {
      left.instant == right.instant ? left.id < right.id : left.instant < right.instant
    }
  }

  private var heap = Heap<Item>()
  /// Those of the heap that are not only about forgetting.
  private var noticeable = Heap<Item>()
  private var instants: [DeadlineID: Int64] = [:]

  /// Sets, moves or (nil) removes a deadline, in milliseconds of journal time.
  mutating func set(_ id: DeadlineID, at instant: Int64?) {
    guard instants[id] != instant else { return }
    instants[id] = instant
    guard let instant else { return }
    heap.insert(Item(instant: instant, id: id))
    if case .forgetCommands = id { return }
    noticeable.insert(Item(instant: instant, id: id))
  }

  /// Sets a deadline that is not set yet. For what is put off often: when the old deadline fires, its owner looks again.
  mutating func setIfAbsent(_ id: DeadlineID, at instant: Int64) {
    if instants[id] == nil { set(id, at: instant) }
  }

  /// Takes back every deadline of idle keys.
  mutating func removeIdleKeys() {
    for id in instants.keys {
      if case .deleteIdleKey = id { instants[id] = nil }
    }
  }

  /// The instant `duration` milliseconds behind `time`; the engine's clock may stand anywhere.
  static func after(_ time: Int64, _ duration: Int64) -> Int64 {
    let (instant, overflowed) = time.addingReportingOverflow(duration)
    return overflowed ? .max : instant
  }

  /// Whether something falls due at `now` or before that somebody would notice: what is only forgotten can wait.
  mutating func isNoticeable(at now: Int64) -> Bool {
    while let first = noticeable.min, first.instant <= now {
      if instants[first.id] == first.instant { return true }
      noticeable.removeMin()
    }
    return false
  }

  /// Removes and returns the first deadline at or before `now`.
  mutating func popDue(at now: Int64) -> DeadlineID? {
    while let first = noticeable.min, first.instant <= now { noticeable.removeMin() }
    while let first = heap.min, first.instant <= now {
      heap.removeMin()
      if instants[first.id] == first.instant {
        instants[first.id] = nil
        return first.id
      }
    }
    return nil
  }
}
