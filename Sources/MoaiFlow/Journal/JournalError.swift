/// What can go wrong between a swarm and its engine.
@nonexhaustive
public enum JournalError: Error, Sendable, Hashable {
  case noSuchSwarm(SwarmName)
  case alreadyExists(SwarmName)
  /// Another process holds the folder; `holder` names it as far as it can be known ("process 4711 on host-a").
  case locked(folder: String, holder: String)
  /// The folder or file cannot be written.
  case readOnly(String)
  /// The file is not one of ours, or of a newer version; the text says which and names the file.
  case notOurs(String)
  /// The entry at this revision is damaged or missing; the text says how that was noticed.
  case corrupt(revision: Revision, String)
  /// What was asked lies before the horizon: those entries are no longer kept.
  case trimmed(horizon: Revision)
  /// The file itself is damaged (a page, its length, its header); the text names it.
  case damaged(String)
  /// No space is left. Nothing of the call was stored.
  case full(String)
  /// The call may or may not have taken effect.
  case uncertain(String)
  /// The call was refused as it stands and nothing was stored; the text says what is wrong with it.
  case invalid(String)
  /// The store was closed.
  case closed
  /// The engine failed and nothing of the call was stored.
  case failed(String)
}

extension JournalError: CustomStringConvertible {
  /// One line that names the file, folder or revision and, where it helps, what to do.
  public var description: String {
    switch self {
    case .noSuchSwarm(let name): "no swarm \"\(name)\" here"
    case .alreadyExists(let name): "swarm \"\(name)\" exists already"
    case .locked(let folder, let holder): "\(folder) is in use by \(holder); stop it, or use another folder"
    case .readOnly(let what): "\(what) cannot be written"
    case .notOurs(let what): what
    case .corrupt(let revision, let how): "entry \(revision) of the journal is corrupt: \(how)"
    case .trimmed(let horizon): "entries up to revision \(horizon) are no longer kept"
    case .damaged(let what): what
    case .full(let what): "no space left: \(what); nothing was stored"
    case .uncertain(let what): "the outcome is unknown: \(what)"
    case .invalid(let what): what
    case .closed: "the store is closed"
    case .failed(let what): "the engine failed: \(what)"
    }
  }
}
