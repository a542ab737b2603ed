import MoaiCRDT

/// What one accepted entry had to do with one key, as far as a rewind must know.
struct KeyFact: Sendable {
  enum Kind: Sendable {
    /// `sight`: up to which revision its writer had evidently seen the key; nil: it wrote without looking.
    case write(sight: Revision?)
    case rewind(Target, reach: Revision)
    /// The swarm itself deleted the key.
    case expiry

    var isExpiry: Bool { if case .expiry = self { true } else { false } }
  }

  /// ``RewindTarget`` inside one history.
  enum Target: Sendable {
    /// Nil: an agent that never wrote.
    case agent(AgentIndex?, since: Revision)
    case revision(Revision)

    init(_ target: RewindTarget, _ agents: Agents) {
      switch target {
      case .agent(let agent, let since): self = .agent(agents.number(of: agent), since: since)
      case .revision(let revision): self = .revision(revision)
      }
    }
  }

  let revision: Revision
  let author: AgentIndex
  let timestamp: Timestamp
  let kind: Kind
  /// The key after the entry; nil: absent.
  let incarnation: Incarnation?

  /// What was decided when the entry applied, by policies of that time.
  struct Incarnation: Sendable, Hashable {
    let created: Dot
    let type: CRDTType
    let strategy: KeyStrategy
  }

  /// The first entry that the fact is about.
  var reach: Revision { if case .rewind(_, let reach) = kind { reach } else { revision } }

  var isRewind: Bool { if case .rewind = kind { true } else { false } }

  func isTarget(of target: Target) -> Bool {
    switch (target, kind) {
    case (.agent(let agent, let since), .write): author == agent && revision > since
    case (.revision(let revision), .write), (.revision(let revision), .rewind): self.revision == revision
    case (.agent, _), (_, .expiry): false
    }
  }
}

/// The accepted entries of one key in order, and which of them count.
///
/// An entry counts unless a rewind that counts covers it. So a rewind of a rewind makes what the first one covered
/// count again, to any depth, without looking at values.
struct KeyTimeline: Sendable {
  private(set) var facts: [KeyFact] = []
  /// By position of a rewind, the positions that it covers.
  private var covers: [Int: [Int]] = [:]

  mutating func append(_ fact: KeyFact) {
    facts.append(fact)
    if case .rewind(let target, _) = fact.kind {
      covers[facts.count - 1] = covered(by: target, upTo: facts.count - 1)
    }
  }

  /// The positions that a rewind asked for now would cover: those of its target that count.
  func covered(by target: KeyFact.Target) -> [Int] {
    covered(by: target, upTo: facts.count)
  }

  private func covered(by target: KeyFact.Target, upTo end: Int) -> [Int] {
    let counts = counting(upTo: end)
    return (0..<end).filter { counts[$0] && facts[$0].isTarget(of: target) }
  }

  /// Which positions count: those that no later rewind that counts covers. With `adding`, as if one more rewind, the
  /// latest, covered those. O(positions + covered ones).
  func counting(upTo end: Int? = nil, adding: [Int] = []) -> [Bool] {
    let end = end ?? facts.count
    var counts = Array(repeating: true, count: end)
    for position in adding { counts[position] = false }
    for position in (0..<end).reversed() where counts[position] {
      for covered in covers[position] ?? [] { counts[covered] = false }
    }
    return counts
  }
}
