import MoaiFlow

/// What the plain model says that an entry comes to.
indirect enum PlainVerdict: Equatable {
  case accepted([KeyVerdict])
  /// A replica's delta is in the state.
  case merged([KeyVerdict])
  /// A replica's delta has used up its numbers, and a rule keeps its writes out of the state.
  case kept(Reason)
  /// Another command of a replica was taken.
  case replica
  case settings
  case agent(AgentOutcome)
  case refused(Reason)
  /// The command id was there before: nothing happens, and this is the answer again.
  case repeated(PlainVerdict)
  /// The command id was there before, for something else.
  case mismatch

  struct KeyVerdict: Equatable {
    let key: StateKey
    let changed: Bool
  }

  enum Reason: Error {
    case conditionFailed, typeMismatch, strategyMismatch, counterOverflow, valueTooLarge, tooManySiblings, notAllowed
    case boundExceeded, clockAhead, replica, agent, futureBase, baseTrimmed, changedSincePlanned, notThere, limit, other
  }

  /// Whether the entry changed anything for the first time.
  var isEffective: Bool {
    switch self {
    case .accepted, .settings, .merged, .kept, .replica, .agent: true
    case .refused, .repeated, .mismatch: false
    }
  }

  /// Whether the product says the same.
  func agrees(with outcome: Outcome) -> Bool {
    switch (self, outcome.result) {
    case (.mismatch, .refused(.idempotencyMismatch)): true
    case (.repeated(let first), _): outcome.isRepeat && first.agrees(with: outcome.result)
    default: !outcome.isRepeat && agrees(with: outcome.result)
    }
  }

  private func agrees(with result: Outcome.Result) -> Bool {
    switch (self, result) {
    case (.accepted(let keys), .state(let state)), (.merged(let keys), .replica(.merged(let state))):
      Set(keys.map(\.key)) == Set(state.keys.map(\.key))
        && Set(keys.filter(\.changed).map(\.key)) == Set(state.keys.filter(\.changed).map(\.key))
    case (.kept(.clockAhead), .replica(.kept(.clockAhead))): true
    case (.kept(let reason), .replica(.kept(.state(let refusal)))): reason == Reason(refusal)
    case (.replica, .replica(.reserved)), (.replica, .replica(.closed)), (.replica, .replica(.resolved)),
      (.replica, .replica(.announced)):
      true
    case (.refused(.replica), .refused(.replica)): true
    case (.agent(let expected), .agent(let found)): expected == found
    case (.refused(.agent), .refused(.agent)): true
    case (.settings, .settings), (.settings, .journal): true
    case (.refused(.notThere), .refused(.journal)): true
    case (.refused(.limit), .refused(.settings)): true
    case (.refused(let reason), .refused(.state(let refusal))): reason == Reason(refusal)
    default: false
    }
  }
}

extension PlainVerdict.Reason {
  fileprivate init(_ refusal: StateRefusal) {
    switch refusal {
    case .conditionFailed: self = .conditionFailed
    case .typeMismatch: self = .typeMismatch
    case .strategyMismatch: self = .strategyMismatch
    case .counterOverflow: self = .counterOverflow
    case .valueTooLarge: self = .valueTooLarge
    case .tooManySiblings: self = .tooManySiblings
    case .notAllowed: self = .notAllowed
    case .futureBase: self = .futureBase
    case .baseTrimmed: self = .baseTrimmed
    case .changedSincePlanned: self = .changedSincePlanned
    case .boundExceeded: self = .boundExceeded
    @unknown default: self = .other
    }
  }
}
