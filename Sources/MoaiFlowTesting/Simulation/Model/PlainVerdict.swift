import MoaiFlow

/// What the plain model says that an entry comes to.
indirect enum PlainVerdict: Equatable {
  case accepted([KeyVerdict])
  case settings
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
    case boundExceeded, futureBase, baseTrimmed, changedSincePlanned, notThere, limit, other
  }

  /// Whether the entry changed anything for the first time.
  var isEffective: Bool {
    switch self {
    case .accepted, .settings: true
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
    case (.accepted(let keys), .state(let state)):
      Set(keys.map(\.key)) == Set(state.keys.map(\.key))
        && Set(keys.filter(\.changed).map(\.key)) == Set(state.keys.filter(\.changed).map(\.key))
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
