import MoaiCRDT

/// One entry being applied: what it may know, and how to take back what it has done so far.
///
/// Facets change their tables in place and leave an inverse here for every step. A refusal runs the inverses
/// backwards; a commit reads from them what changed. Staging copies instead would copy a whole dictionary for one new
/// element of a large set (decision 0001).
struct Transaction {
  let epoch: Epoch
  let revision: Revision
  /// The timestamp of every write of this entry (rule §1.6).
  let timestamp: Timestamp
  let author: AgentIndex
  let authorName: AgentID
  /// Bases before it are refused (rule §4.3).
  let horizon: Revision
  /// The delta of an offline replica that the entry is; nil: it is an online write.
  let offline: OfflineOrigin?
  /// Keys that journal time deleted in this entry, before it applied (rule §4.1).
  var expired: Set<Int> = []

  private var buffers: TransactionBuffers
  /// When so many inverses are noted, those that are not needed go.
  private var inversesToLookThrough = Transaction.fewInverses
  private static let fewInverses = 256
  /// The settings to go back to, where the entry changed them.
  var settingsBefore: SwarmSettings?
  /// Feeds on what the entry changed, for the chain hash.
  var digest = StableHash()
  private var operations: UInt64 = 0
  private var numbersUsed: UInt64 = 0

  init(
    epoch: Epoch, revision: Revision, timestamp: Timestamp, author: AgentIndex, authorName: AgentID,
    horizon: Revision = 0, offline: OfflineOrigin? = nil,
    reusing buffers: consuming TransactionBuffers = TransactionBuffers()
  ) {
    self.epoch = epoch
    self.revision = revision
    self.timestamp = timestamp
    self.author = author
    self.authorName = authorName
    self.horizon = horizon
    self.offline = offline
    buffers.inverses.removeAll(keepingCapacity: true)
    buffers.touchedKeys.removeAll(keepingCapacity: true)
    self.buffers = buffers
  }

  /// The way back, step by step.
  var inverses: [StateInverse] { buffers.inverses }

  /// Slots of the state table in the order in which the entry first touched them.
  var touchedKeys: [Int] { buffers.touchedKeys }

  /// The name of the next write of this entry (rule §1.3): (epoch, revision, index of the operation), or the next number
  /// of the replica whose delta it is.
  mutating func nextDot() -> Dot {
    defer { operations += 1 }
    if let offline { return Dot(offline.replica, offline.firstNumber + operations) }
    return Dot(journal: epoch, revision: revision, operation: operations)
  }

  /// Begins the write of a key. In a replica's delta its numbers stand fast, whether or not they are used.
  mutating func beginWrite(numbers: UInt64) {
    guard offline != nil else { return }
    operations = numbersUsed
    numbersUsed += numbers
  }

  /// Lets the next write take its numbers from a place in the delta, where not all of its writes are made.
  mutating func beginWrite(at number: UInt64) {
    numbersUsed = number
  }

  /// The time that the entry's writes compete with: the replica's own clock for what it wrote offline (rule §1.6).
  var writeTimestamp: Timestamp { offline?.timestamp ?? timestamp }

  mutating func record(_ inverse: StateInverse) {
    buffers.inverses.append(inverse)
    if buffers.inverses.count >= inversesToLookThrough { dropRepeatedParts() }
  }

  /// Of the steps on one part only the first is needed to go back. Each holds every write that stood on the part, so an
  /// entry that writes a part again and again beside many others would hold many times what it changes.
  private mutating func dropRepeatedParts() {
    var seen: [Int: Set<Part>] = [:]
    buffers.inverses.removeAll { inverse in
      guard case .part(let slot, let part, _) = inverse else { return false }
      return !seen[slot, default: []].insert(part).inserted
    }
    inversesToLookThrough = max(Transaction.fewInverses, 2 * buffers.inverses.count)
  }

  mutating func touch(_ slot: Int) {
    buffers.touchedKeys.append(slot)
  }

  /// Gives the storage away, to be used for the next entry.
  mutating func releaseBuffers() -> TransactionBuffers {
    var released = TransactionBuffers()
    swap(&released, &buffers)
    return released
  }
}

/// Where the writes of an entry come from that were made offline.
struct OfflineOrigin: Sendable {
  let replica: ReplicaID
  /// The number of the delta's first write.
  let firstNumber: UInt64
  let timestamp: Timestamp
  /// The writes of other replicas that the writer had seen before the journal did.
  let seen: VectorClock<ReplicaID>
}

/// The arrays that every transaction fills and empties: allocated once for all of them.
struct TransactionBuffers: Sendable {
  var inverses: [StateInverse] = []
  var touchedKeys: [Int] = []
}

extension Dot {
  /// Operations that one entry may hold: their index takes the low 16 bits of a journal dot's number.
  package static let operationsPerEntry = 1 << 16

  /// The dot of an online write. `revision` < 2^47.
  init(journal epoch: Epoch, revision: Revision, operation: UInt64) {
    self.init(epoch.replica, UInt64(revision) << 16 | operation)
  }
}
