public import MoaiCRDT

/// What a user of an offline replica has to handle.
@nonexhaustive
public enum ReplicaError: Error, Sendable, Hashable {
  /// A field of the request breaks a rule; nothing was written. `field` is a JSON Pointer into the request.
  case invalid(field: String, String)
  /// The key holds a `holds`, as far as the replica knows; the write is for a `asked`.
  case typeMismatch(StateKey, holds: CRDTType, asked: CRDTType)
  /// The key's policy bounds it, and the replica has too little reserved for such a step; reserve some while online.
  case noRights(StateKey, has: CounterRight)
  /// The replica's files cannot be read or written; what was answered before is safe.
  case store(JournalError)
  /// What is stored, or came from another replica, cannot be read.
  case damaged(DecodingFailure)
  /// The swarm did not do what the exchange needs. What it took stays taken; exchange again.
  case swarm(SwarmError)
  /// The journal refused what the replica asked.
  case refused(ReplicaRefusal)
  /// The other replica belongs to another swarm.
  case otherSwarm(SwarmName)
  /// Both know the swarm, in different epochs: one of them must exchange with it first.
  case otherEpoch(Epoch)
  /// The replica was closed in this process.
  case closed
}

extension ReplicaError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalid(let field, let problem): "\(field): \(problem)"
    case .typeMismatch(let key, let holds, let asked):
      "\(key): it holds a \(holds.rawValue), this writes a \(asked.rawValue)"
    case .noRights(let key, let has):
      "\(key): it is bounded, and only \(has) is reserved for this replica; reserve more while online"
    case .store(let error): "\(error)"
    case .damaged(let failure): "damaged: \(failure)"
    case .swarm(let error): "\(error)"
    case .refused(let refusal): "\(refusal)"
    case .otherSwarm(let name): "the other replica belongs to the swarm \(name)"
    case .otherEpoch(let epoch): "the other replica knows the swarm in epoch \(epoch); exchange with the swarm first"
    case .closed: "the replica is closed"
    }
  }
}
