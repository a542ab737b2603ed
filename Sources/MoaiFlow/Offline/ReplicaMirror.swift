import MoaiCRDT

/// What a replica has of the swarm: every key as it was shown at one revision, and who wrote each part of it.
///
/// It comes from `changes` (rule §5.3) and is changed by nothing else; what was written offline lies over it.
struct ReplicaMirror: Sendable {
  /// The swarm at this place; nil: nothing yet.
  private(set) var cursor: Cursor?
  private(set) var keys: [StateKey: MirroredKey] = [:]
  /// The revisions at which keys were deleted, for replicas that ask this one instead of the swarm.
  private(set) var deletions: [StateKey: Revision] = [:]
  /// Deletions up to here are forgotten.
  private(set) var deletionsForgotten: Revision = 0
  /// How far the journal has the replicas' writes.
  private(set) var progress: [ReplicaID: ReplicaProgress] = [:]

  /// Deletions that are remembered at most. Raising it lets replicas that were apart longer meet without a whole copy.
  static let deletionLimit = 10_000

  init() {}

  init(
    cursor: Cursor?, keys: [StateKey: MirroredKey], deletions: [StateKey: Revision], deletionsForgotten: Revision,
    progress: [ReplicaID: ReplicaProgress]
  ) {
    self.cursor = cursor
    self.keys = keys
    self.deletions = deletions
    self.deletionsForgotten = deletionsForgotten
    self.progress = progress
  }

  var epoch: Epoch? { cursor?.epoch }

  func accepted(_ replica: ReplicaID) -> UInt64 { progress[replica]?.accepted ?? 0 }

  /// Takes a whole pass over what changed. Returns the keys that it has to do with.
  ///
  /// - Precondition: the last page carries the cursor, and the pass began at this mirror's own, or is a snapshot.
  mutating func apply(_ pages: [ChangesPage]) throws(SwarmError) -> Set<StateKey> {
    guard let last = pages.last, let reached = last.cursor else { return [] }
    // A key that is written while the pass goes on comes once more, whole against its beginning: the last one counts.
    var newest: [StateKey: StateChange] = [:]
    for change in pages.lazy.flatMap(\.changes) { newest[change.key] = change }
    for change in newest.values { try change.checkOrigins() }
    var touched: Set<StateKey> = []
    let beginsAnew = last.isSnapshot || cursor?.epoch != reached.epoch
    // Who begins with nothing is told of no deletions, so nobody can be told of them from here.
    let isToldOfDeletions = !beginsAnew && cursor?.revision != 0
    if beginsAnew { touched = reset() }
    if !isToldOfDeletions { deletionsForgotten = reached.revision }
    for change in newest.values.sorted(by: { $0.revision < $1.revision }) {
      touched.insert(change.key)
      apply(change)
    }
    for one in last.replicas { progress[one.replica] = one }
    cursor = reached
    touched.formUnion(forgetOldDeletions())
    return touched
  }

  /// Takes what another replica has of the swarm, which is further.
  mutating func apply(_ update: MirrorUpdate) -> Set<StateKey> {
    var touched: Set<StateKey> = []
    if update.isWhole {
      touched = reset()
      deletionsForgotten = update.cursor.revision
    }
    for (key, value) in update.keys {
      touched.insert(key)
      keys[key] = value
      deletions[key] = nil
    }
    for (key, revision) in update.deletions {
      touched.insert(key)
      keys[key] = nil
      deletions[key] = revision
    }
    for one in update.progress { progress[one.replica] = one }
    cursor = update.cursor
    touched.formUnion(forgetOldDeletions())
    return touched
  }

  /// What a replica lacks that has the swarm up to `other`; nil if it lacks nothing that this one has.
  func update(for other: Cursor?) -> MirrorUpdate? {
    guard let cursor else { return nil }
    if let other, other.epoch == cursor.epoch {
      guard other.revision < cursor.revision else { return nil }
      if other.revision >= deletionsForgotten {
        return MirrorUpdate(
          cursor: cursor, isWhole: false, keys: keys.filter { $0.value.revision > other.revision },
          deletions: deletions.filter { $0.value > other.revision }, progress: Array(progress.values))
      }
    }
    return MirrorUpdate(
      cursor: cursor, isWhole: true, keys: keys, deletions: [:], progress: Array(progress.values))
  }

  private mutating func reset() -> Set<StateKey> {
    let all = Set(keys.keys).union(deletions.keys)
    keys = [:]
    deletions = [:]
    deletionsForgotten = 0
    progress = [:]
    return all
  }

  private mutating func apply(_ change: StateChange) {
    guard change.content != .deleted else {
      keys[change.key] = nil
      deletions[change.key] = change.revision
      return
    }
    deletions[change.key] = nil
    var key: MirroredKey
    if case .operations = change.content, let known = keys[change.key] {
      key = known
    } else {
      key = MirroredKey(type: change.type, agent: change.agent, timestamp: change.timestamp, revision: change.revision)
    }
    key.agent = change.agent
    key.timestamp = change.timestamp
    key.revision = change.revision
    // The mirror lets go of the key meanwhile, so its parts are not copied.
    keys[change.key] = nil
    key.apply(change)
    keys[change.key] = key
  }

  /// Returns the keys whose deletion is forgotten.
  private mutating func forgetOldDeletions() -> Set<StateKey> {
    guard deletions.count > ReplicaMirror.deletionLimit else { return [] }
    let kept = deletions.values.sorted().suffix(ReplicaMirror.deletionLimit / 2)
    guard let first = kept.first else { return [] }
    let forgotten = Set(deletions.filter { $0.value < first }.keys)
    for key in forgotten { deletions[key] = nil }
    deletionsForgotten = first - 1
    return forgotten
  }
}

/// A key as the swarm showed it.
struct MirroredKey: Sendable, Equatable {
  let type: CRDTType
  /// Of the last entry that changed it.
  var agent: AgentID
  var timestamp: Timestamp
  var revision: Revision
  /// A counter's.
  var sum: Int64 = 0
  var parts: [Part: MirroredPart] = [:]
}

struct MirroredPart: Sendable, Equatable {
  let value: StateValue
  let origin: WriteOrigin
}

/// What one replica tells another about the swarm.
struct MirrorUpdate: Sendable {
  let cursor: Cursor
  /// It replaces everything.
  let isWhole: Bool
  let keys: [StateKey: MirroredKey]
  let deletions: [StateKey: Revision]
  let progress: [ReplicaProgress]
}

extension StateChange {
  /// - Throws: if a part that it shows comes without its origin, or it is no change of a value.
  fileprivate func checkOrigins() throws(SwarmError) {
    let needed: Int
    switch content {
    case .deleted: return
    case .value(.int) where type == .counter: return
    case .value(.array(let elements)) where type == .set: needed = elements.count
    case .value(.object(let object)) where type == .map: needed = object.fields.count
    case .value: needed = 1
    case .operations(let operations):
      for (index, operation) in operations.enumerated() {
        if case .share = operation { throw .invalid(field: "/changes", "\(key): a share is no change of a value") }
        guard operation.value != nil, operation.creates else { continue }
        guard let origins, index < origins.count, origins[index] != nil else { throw missingOrigin }
      }
      return
    }
    guard let origins, origins.count >= needed, origins.prefix(needed).allSatisfy({ $0 != nil }) else {
      throw missingOrigin
    }
  }

  private var missingOrigin: SwarmError {
    .invalid(field: "/changes", "\(key): a part comes without its origin")
  }
}

extension MirroredKey {
  /// Puts a change's operations or value in place; its origins were checked.
  fileprivate mutating func apply(_ change: StateChange) {
    let origins = change.origins ?? []
    func put(_ value: StateValue, at part: Part, _ index: Int) {
      guard index < origins.count, let origin = origins[index] else { return }
      parts[part] = MirroredPart(value: value, origin: origin)
    }
    switch change.content {
    case .deleted: return
    case .value(.int(let number)) where change.type == .counter: sum = number
    case .value(.array(let elements)) where change.type == .set:
      parts.reserveCapacity(elements.count)
      for (index, element) in elements.enumerated() { put(.null, at: .element(element), index) }
    case .value(.object(let object)) where change.type == .map:
      parts.reserveCapacity(object.fields.count)
      for (index, field) in object.fields.enumerated() { put(field.value, at: .field(field.name), index) }
    case .value(let value): put(value, at: .whole, 0)
    case .operations(let operations):
      for (index, operation) in operations.enumerated() {
        switch operation {
        case .increment(let amount): sum &+= amount
        case .share: continue
        case .remove, .removeField:
          if let part = operation.part { parts[part] = nil }
        case .add(let element): put(.null, at: .element(element), index)
        case .put(let field, let value): put(value, at: .field(field), index)
        case .assign(let value): put(value, at: .whole, index)
        }
      }
    }
  }
}
