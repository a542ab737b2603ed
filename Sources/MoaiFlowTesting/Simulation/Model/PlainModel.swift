import MoaiCRDT
import MoaiFlow

/// Shared state as somebody would write it who only wants to be sure: every write that nothing has replaced stands in
/// one plain array, a value is worked out from all of them each time, and nothing is ever taken back in place.
///
/// It shares the entries' form with the product, and nothing else. It is the simulator's judge of every value, version,
/// revision and refusal (rules §1.6, §4.1 to §4.8).
struct PlainModel {
  /// What a write wrote to.
  enum Part: Hashable {
    case whole
    case field(UTF8String)
    case element(StateValue)
  }

  /// A write that nothing has replaced or removed.
  struct Standing {
    let part: Part
    let value: StateValue
    let agent: AgentID
    let timestamp: Timestamp
    let entered: Revision
    /// Its number, if a replica wrote it offline.
    let offline: Dot?
  }

  /// A key that exists.
  struct Key {
    let type: CRDTType
    let strategy: KeyStrategy
    /// In the order in which they came.
    var standing: [Standing] = []
    var shares: [AgentID: Int64] = [:]
    /// Who counted, in which entry.
    var counted: [(agent: AgentID, revision: Revision)] = []
    let created: Revision
    /// The number that created it, if a replica did offline.
    var creator: Dot?
    var version: Int64 = 0
    var revision: Revision = 0
    var agent: AgentID?
    /// When it last changed.
    var changedAt: Int64 = 0
    /// What replicas may spend.
    var rights: [ReplicaID: CounterRight] = [:]
  }

  /// Who writes, and what he has seen.
  struct Writer {
    let agent: AgentID
    let timestamp: Timestamp
    /// The delta that the entry is, if it was written offline.
    var delta: ReplicaDelta?
    /// The number of its next write.
    var number: UInt64 = 0
  }

  struct Remembered {
    let time: Int64
    let hash: UInt64
    let verdict: PlainVerdict
  }

  /// Milliseconds for which a command id is remembered.
  private static let window: Int64 = 24 * 60 * 60 * 1000

  private let epoch: Epoch
  var keys: [StateKey: Key] = [:]
  var replicas: [ReplicaID: PlainReplica] = [:]
  var members: [AgentID: PlainAgent] = [:]
  /// Keys that the last entry let go because nobody had changed them.
  private(set) var expired: [StateKey] = []
  var settings = SwarmSettings()
  private(set) var revision: Revision = 0
  private(set) var time: Int64 = 0
  /// Bases before this revision are refused.
  private(set) var horizon: Revision = 0
  var lastTimestamp = Timestamp(milliseconds: 0)
  private var remembered: [String: Remembered] = [:]
  /// What each key showed after each entry that changed it.
  private(set) var history: [StateKey: [(revision: Revision, value: StateValue?, type: CRDTType?)]] = [:]

  init(epoch: Epoch = Epoch(0)) {
    self.epoch = epoch
  }

  /// What a reader sees under a key; nil: it is absent.
  func value(of key: StateKey) -> StateValue? { keys[key].map { $0.value } }

  /// What a reader saw, and of which type it was, at an earlier revision.
  func past(of key: StateKey, at revision: Revision) -> (value: StateValue, type: CRDTType)? {
    guard let found = history[key]?.last(where: { $0.revision <= revision }), let value = found.value,
      let type = found.type
    else { return nil }
    return (value, type)
  }

  /// All values.
  var values: [StateKey: StateValue] { keys.mapValues { $0.value } }

  /// Applies the next entry of a journal.
  mutating func apply(_ entry: Entry, appendedAt: Int64) -> PlainVerdict {
    revision += 1
    time = max(time, appendedAt)
    letIdleKeysGo()
    closeIdleReplicas()
    let name = "\(entry.author) \(entry.id.high) \(entry.id.low)"
    if let first = remembered[name], first.time + PlainModel.window > time {
      return first.hash == entry.requestHash ? .repeated(first.verdict) : .mismatch
    }
    let verdict = decide(entry)
    if verdict != .refused(.replica) {
      remembered[name] = Remembered(time: time, hash: entry.requestHash, verdict: verdict)
    }
    return verdict
  }

  var nextTimestamp: Timestamp { max(Timestamp(milliseconds: time), lastTimestamp.successor) }

  private mutating func letIdleKeysGo() {
    let timestamp = nextTimestamp
    expired = keys.keys.sorted().filter { name in
      guard let key = keys[name], let idle = policy(of: name)?.idleMilliseconds else { return false }
      return key.changedAt + idle <= time
    }
    for name in expired {
      keys[name] = nil
      history[name, default: []].append((revision, nil, nil))
    }
    if !expired.isEmpty { lastTimestamp = timestamp }
  }

  func policy(of key: StateKey) -> KeyPolicy? {
    settings.policies.first { PlainModel.matches($0.pattern.text.string, key.name.string) }
  }

  func base(of delta: ReplicaDelta) -> Revision {
    guard let base = delta.base, base.epoch == epoch else { return 0 }
    return base.revision
  }

  private mutating func decide(_ entry: Entry) -> PlainVerdict {
    switch entry.command {
    case .settings(.replace(let new)):
      let isAllowed =
        (1...SwarmLimits.maximumValueBytes).contains(new.limits.valueBytes) && (1...4096).contains(new.limits.siblings)
        && new.policies.allSatisfy { ($0.bounds.minimum ?? .min) <= ($0.bounds.maximum ?? .max) }
      guard isAllowed else { return .refused(.limit) }
      settings = new
      return .settings
    case .state(.write(let writes)):
      let timestamp = nextTimestamp
      var writer = Writer(agent: entry.author, timestamp: timestamp)
      switch perform(writes, by: &writer, at: timestamp) {
      case .success(let verdicts): return .accepted(verdicts)
      case .failure(let reason): return .refused(reason)
      }
    case .state(.rewind): return .refused(.other)
    case .journal(.trim(let to)):
      if to >= revision { return .refused(.notThere) }
      horizon = max(horizon, to)
      return .settings
    case .journal: return .settings
    case .replica(let command): return decide(command, by: entry.author)
    case .agent(let command): return decide(command)
    }
  }

  /// All writes of one entry, or none.
  mutating func perform(
    _ writes: [KeyWrite], by writer: inout Writer, at timestamp: Timestamp
  ) -> Result<[PlainVerdict.KeyVerdict], PlainVerdict.Reason> {
    let before = keys
    do throws(PlainVerdict.Reason) {
      for write in writes { try apply(write, by: &writer) }
    } catch {
      keys = before
      return .failure(error)
    }
    lastTimestamp = max(timestamp, writer.timestamp)
    return .success(commit(writes, before: before, by: writer.agent, at: timestamp))
  }

  /// Gives the keys that show something else than before their new revision and version.
  private mutating func commit(
    _ writes: [KeyWrite], before: [StateKey: Key], by author: AgentID, at timestamp: Timestamp
  ) -> [PlainVerdict.KeyVerdict] {
    var verdicts: [PlainVerdict.KeyVerdict] = []
    for write in writes {
      let key = write.key
      let old = before[key]
      let isNew = keys[key].map { $0.revision == 0 } ?? false
      let shows = keys[key].map { ($0.value, $0.siblings) }
      let showed = old.map { ($0.value, $0.siblings) }
      let changed = isNew || shows?.0 != showed?.0 || shows?.1 != showed?.1
      if changed, verdicts.first(where: { $0.key == key }) == nil {
        keys[key]?.version += 1
        keys[key]?.revision = revision
        keys[key]?.agent = author
        keys[key]?.changedAt = timestamp.milliseconds
        history[key, default: []].append((revision, keys[key]?.value, keys[key]?.type))
      }
      verdicts.append(PlainVerdict.KeyVerdict(key: key, changed: changed))
    }
    return verdicts
  }
}

// MARK: - One write

extension PlainModel {
  private mutating func apply(_ write: KeyWrite, by writer: inout Writer) throws(PlainVerdict.Reason) {
    let policy = policy(of: write.key)
    if let writers = policy?.writers,
      !writers.contains(where: { PlainModel.matches($0.text.string, writer.agent.name.string) })
    {
      throw .notAllowed
    }
    if let condition = write.condition, condition != keys[write.key]?.revision ?? 0 { throw .conditionFailed }
    let base = write.base ?? write.condition ?? revision
    if base > revision { throw .futureBase }
    // A condition reaches further: that a key has still the revision can be told without history.
    if write.base != nil, base < horizon, writer.delta == nil { throw .baseTrimmed }
    // Offline a key takes a number for its creation, whether or not it is used.
    let first = writer.number
    writer.number += 1
    let operations: [StateOperation]
    var valueType: CRDTType?
    switch write.content {
    case .delete:
      delete(write.key, by: writer, seenUpTo: write.base)
      return
    case .operations(let list): operations = list
    case .value(let type, let list): (valueType, operations) = (type, list)
    }
    let held = keys[write.key]?.type ?? policy?.type
    let type = held ?? valueType ?? write.declaredType ?? operations.first?.type ?? .register
    let asked = [valueType, write.declaredType].compactMap { $0 } + operations.map(\.type)
    if asked.contains(where: { $0 != type }) { throw .typeMismatch }
    if let strategy = write.strategy, let fixed = keys[write.key]?.strategy ?? policy?.strategy, strategy != fixed {
      if keys[write.key] != nil || policy?.strategy != nil { throw .strategyMismatch }
    }
    if keys[write.key] == nil {
      let comesIntoBeing = valueType != nil || operations.contains { $0.bringsIntoBeing }
      guard comesIntoBeing else { return }
      keys[write.key] = Key(
        type: type, strategy: policy?.strategy ?? write.strategy ?? .lww, created: revision,
        creator: writer.delta.map { Dot($0.replica, first) })
    }
    let sum = keys[write.key]?.exactSum ?? 0
    for operation in operations {
      try apply(operation, to: write.key, by: writer, base: base)
      writer.number += 1
    }
    writer.number = first + 1 + UInt64(operations.count)
    try spend(write.key, from: sum, by: writer, policy)
    if let key = keys[write.key],
      key.type == .counter
        ? 20 > settings.limits.valueBytes
        : key.value.encodedSize > settings.limits.valueBytes
    {
      throw .valueTooLarge
    }
  }

  private mutating func apply(
    _ operation: StateOperation, to name: StateKey, by writer: Writer, base: Revision
  ) throws(PlainVerdict.Reason) {
    guard var key = keys[name] else { return }
    let revision = revision
    let author = writer.agent
    func isVisible(_ write: Standing) -> Bool {
      write.entered <= base || write.entered == revision || writer.hasSeen(write.offline)
    }
    func replace(_ part: Part, with value: StateValue?) throws(PlainVerdict.Reason) {
      key.standing.removeAll { $0.part == part && isVisible($0) }
      guard let value else { return }
      if key.standing.count(where: { $0.part == part }) >= settings.limits.siblings { throw .tooManySiblings }
      key.standing.append(
        Standing(
          part: part, value: value, agent: author, timestamp: writer.timestamp, entered: revision,
          offline: writer.delta.map { Dot($0.replica, writer.number) }))
    }
    switch operation {
    case .increment(let amount):
      let (share, overflow) = (key.shares[author] ?? 0).addingReportingOverflow(amount)
      if overflow { throw .counterOverflow }
      key.shares[author] = share
    case .share(let share): key.shares[author] = share
    case .add(let element): try replace(.element(element), with: .null)
    case .remove(let element): try replace(.element(element), with: nil)
    case .put(let field, let value): try replace(.field(field), with: value)
    case .removeField(let field): try replace(.field(field), with: nil)
    case .assign(let value): try replace(.whole, with: value)
    }
    if Int64(exactly: key.exactSum) == nil { throw .counterOverflow }
    if key.type == .counter { key.counted.append((author, revision)) }
    keys[name] = key
  }

  /// Without a base the key goes; with one only what was there then, and a counter on which somebody else has counted
  /// since stays as it is.
  private mutating func delete(_ name: StateKey, by writer: Writer, seenUpTo base: Revision?) {
    guard let base, var key = keys[name] else {
      keys[name] = nil
      return
    }
    let revision = revision
    guard key.created <= base || key.created == revision || writer.hasSeen(key.creator) else { return }
    if key.type == .counter {
      let isUnseen = key.counted.contains {
        $0.agent != writer.agent && $0.revision > base && $0.revision != revision
      }
      if !isUnseen { keys[name] = nil }
      return
    }
    key.standing.removeAll { $0.entered <= base || $0.entered == revision || writer.hasSeen($0.offline) }
    keys[name] = key.standing.isEmpty ? nil : key
  }

  /// A counter must not have moved across a bound, nor into what is reserved; a replica first uses up its own rights.
  private mutating func spend(
    _ name: StateKey, from sum: Int128, by writer: Writer, _ policy: KeyPolicy?
  ) throws(PlainVerdict.Reason) {
    guard let key = keys[name], key.type == .counter else { return }
    var step = key.exactSum - sum
    if let replica = writer.delta?.replica, var right = key.rights[replica] {
      if step < 0 {
        let used = min(Int128(right.down), -step)
        right.down -= Int64(used)
        step += used
      } else {
        let used = min(Int128(right.up), step)
        right.up -= Int64(used)
        step -= used
      }
      keys[name]?.rights[replica] = right.isEmpty ? nil : right
    }
    let down = keys[name]?.rights.values.reduce(Int128(0)) { $0 + Int128($1.down) } ?? 0
    let up = keys[name]?.rights.values.reduce(Int128(0)) { $0 + Int128($1.up) } ?? 0
    let whole = key.exactSum - sum
    if step < 0, let minimum = policy?.bounds.minimum, key.exactSum - down < Int128(minimum) { throw .boundExceeded }
    if step > 0, let maximum = policy?.bounds.maximum, key.exactSum + up > Int128(maximum) { throw .boundExceeded }
    if whole < 0, let minimum = policy?.bounds.minimum, key.exactSum < Int128(minimum) { throw .boundExceeded }
    if whole > 0, let maximum = policy?.bounds.maximum, key.exactSum > Int128(maximum) { throw .boundExceeded }
  }

  /// A pattern in which `*` is any run of characters.
  static func matches(_ pattern: String, _ name: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let name = Array(name.utf8)
    var reachable: Set<Int> = [0]
    for byte in pattern {
      if byte == UInt8(ascii: "*") {
        if let first = reachable.min() { reachable = Set(first...name.count) }
      } else {
        reachable = Set(reachable.filter { $0 < name.count && name[$0] == byte }.map { $0 + 1 })
      }
    }
    return reachable.contains(name.count)
  }
}

extension StateOperation {
  fileprivate var bringsIntoBeing: Bool {
    switch self {
    case .remove, .removeField: false
    default: true
    }
  }
}
