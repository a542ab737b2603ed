import MoaiCRDT

/// What replicas wrote and the journal does not have yet: an add-wins map of the library's own (rule §5.6), so that
/// replicas which meet exchange what each lacks, in any order and as often as they like.
///
/// Its dots are the numbers of the replicas' writes; its context is what they have seen of each other. A write leaves it
/// when the mirror has it, because the journal took it; what the mirror holds has no dots here.
typealias Overlay = ORMap<StateKey, KeyOverlay>
typealias KeyOverlay = DotMap<OverlayPlace, DotFun<OverlayWrite>>

/// What of a key an offline write is about.
enum OverlayPlace: Hashable, Sendable {
  /// The key came into being.
  case creation
  /// The key was deleted; stays while it hides something in the mirror.
  case deletion
  /// A counter: increments, which never replace each other.
  case count
  case part(Part)
}

/// One offline write that no later one has replaced.
struct OverlayWrite: Equatable, Sendable {
  enum Content: Equatable, Sendable {
    case value(StateValue)
    /// Hides what the mirror shows there; what other replicas had written and this one had seen has gone with its dot.
    case removed
    case count(Int64)
    case created(CRDTType, KeyStrategy)
    case deleted
  }

  let content: Content
  let agent: AgentID
  let timestamp: Timestamp
  /// What its replica had of the swarm: it hides what entered the journal up to here.
  let base: Cursor?

  var value: StateValue? { if case .value(let value) = content { value } else { nil } }
}

extension OverlayWrite {
  /// Whether its writer had seen an entry of the swarm in this epoch.
  func hasSeen(_ revision: Revision, of epoch: Epoch?) -> Bool {
    guard let base, base.epoch == epoch else { return false }
    return revision <= base.revision
  }
}

extension Overlay {
  /// Makes one write in place of those that its delta had seen, or, for nil, only takes these away. The number counts as
  /// seen in both cases. Without a delta the write stands beside all others.
  mutating func put(
    _ write: OverlayWrite?, at place: OverlayPlace, of key: StateKey, dot: Dot, seenBy delta: ReplicaDelta?
  ) {
    update(key) { field in
      var context = CausalContext()
      if let delta {
        for (old, _) in field.store[place] ?? DotFun() where delta.hasSeen(old) { context.insert(old) }
      }
      context.insert(dot)
      let store = write.map { KeyOverlay(place, DotFun(dot, $0)) } ?? KeyOverlay()
      return Causal(store: store, context: context)
    }
  }

  /// Takes writes away wherever they are, and counts them as seen.
  mutating func forget(_ dots: CausalContext) {
    guard !dots.isEmpty, let anywhere = Overlay.anyKey else { return }
    update(anywhere) { _ in Causal(store: KeyOverlay(), context: dots) }
  }

  private static let anyKey = try? StateKey("any")
}

extension ReplicaDelta {
  /// Whether its writer knew of an offline write.
  func hasSeen(_ dot: Dot) -> Bool {
    dot.replica == replica || dot.number <= seen[dot.replica]
  }
}
