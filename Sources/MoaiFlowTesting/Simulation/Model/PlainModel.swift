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
  }

  /// A key that exists.
  struct Key {
    let type: CRDTType
    let strategy: KeyStrategy
    /// In the order in which they came.
    var standing: [Standing] = []
    var shares: [AgentID: Int64] = [:]
    var version: Int64 = 0
    var revision: Revision = 0
    var agent: AgentID?
  }

  struct Remembered {
    let time: Int64
    let hash: UInt64
    let verdict: PlainVerdict
  }

  /// Milliseconds for which a command id is remembered.
  private static let window: Int64 = 24 * 60 * 60 * 1000

  private(set) var keys: [StateKey: Key] = [:]
  private(set) var settings = SwarmSettings()
  private(set) var revision: Revision = 0
  private(set) var time: Int64 = 0
  /// Bases before this revision are refused.
  private(set) var horizon: Revision = 0
  private var lastTimestamp = Timestamp(milliseconds: 0)
  private var remembered: [String: Remembered] = [:]
  /// What each key showed after each entry that changed it.
  private(set) var history: [StateKey: [(revision: Revision, value: StateValue?, type: CRDTType?)]] = [:]

  init() {}

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
    let name = "\(entry.author) \(entry.id.high) \(entry.id.low)"
    if let first = remembered[name], first.time + PlainModel.window > time {
      return first.hash == entry.requestHash ? .repeated(first.verdict) : .mismatch
    }
    let verdict = decide(entry)
    remembered[name] = Remembered(time: time, hash: entry.requestHash, verdict: verdict)
    return verdict
  }

  private mutating func decide(_ entry: Entry) -> PlainVerdict {
    switch entry.command {
    case .settings(.replace(let new)):
      let isAllowed =
        (1...SwarmLimits.maximumValueBytes).contains(new.limits.valueBytes) && (1...4096).contains(new.limits.siblings)
      guard isAllowed else { return .refused(.limit) }
      settings = new
      return .settings
    case .state(.write(let writes)):
      let before = keys
      let timestamp = max(Timestamp(milliseconds: time), lastTimestamp.successor)
      do {
        for write in writes { try apply(write, by: entry.author, at: timestamp) }
      } catch {
        keys = before
        return .refused(error)
      }
      lastTimestamp = timestamp
      return .accepted(commit(writes, before: before, by: entry.author))
    case .state(.rewind): return .refused(.other)
    case .journal(.trim(let to)):
      if to >= revision { return .refused(.notThere) }
      horizon = max(horizon, to)
      return .settings
    case .journal: return .settings
    }
  }

  /// Gives the keys that show something else than before their new revision and version.
  private mutating func commit(
    _ writes: [KeyWrite], before: [StateKey: Key], by author: AgentID
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
        history[key, default: []].append((revision, keys[key]?.value, keys[key]?.type))
      }
      verdicts.append(PlainVerdict.KeyVerdict(key: key, changed: changed))
    }
    return verdicts
  }
}

// MARK: - One write

extension PlainModel {
  private mutating func apply(
    _ write: KeyWrite, by author: AgentID, at timestamp: Timestamp
  ) throws(PlainVerdict.Reason) {
    let policy = settings.policies.first { PlainModel.matches($0.pattern.text.string, write.key.name.string) }
    if let writers = policy?.writers,
      !writers.contains(where: { PlainModel.matches($0.text.string, author.name.string) })
    {
      throw .notAllowed
    }
    if let condition = write.condition, condition != keys[write.key]?.revision ?? 0 { throw .conditionFailed }
    let base = write.base ?? write.condition ?? revision
    if base > revision { throw .futureBase }
    // A condition reaches further: that a key has still the revision can be told without history.
    if let given = write.base, given < horizon { throw .baseTrimmed }
    let operations: [StateOperation]
    var valueType: CRDTType?
    switch write.content {
    case .delete:
      keys[write.key] = nil
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
      keys[write.key] = Key(type: type, strategy: policy?.strategy ?? write.strategy ?? .lww)
    }
    for operation in operations {
      try apply(operation, to: write.key, by: author, at: timestamp, base: base)
    }
    if let key = keys[write.key],
      key.type == .counter
        ? 20 > settings.limits.valueBytes
        : key.value.encodedSize > settings.limits.valueBytes
    {
      throw .valueTooLarge
    }
  }

  private mutating func apply(
    _ operation: StateOperation, to name: StateKey, by author: AgentID, at timestamp: Timestamp, base: Revision
  ) throws(PlainVerdict.Reason) {
    guard var key = keys[name] else { return }
    let revision = revision
    func isVisible(_ write: Standing) -> Bool { write.entered <= base || write.entered == revision }
    func replace(_ part: Part, with value: StateValue?) throws(PlainVerdict.Reason) {
      key.standing.removeAll { $0.part == part && isVisible($0) }
      guard let value else { return }
      if key.standing.count(where: { $0.part == part }) >= settings.limits.siblings { throw .tooManySiblings }
      key.standing.append(
        Standing(part: part, value: value, agent: author, timestamp: timestamp, entered: revision))
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
    keys[name] = key
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
