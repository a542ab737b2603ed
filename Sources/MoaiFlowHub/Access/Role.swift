/// What a token lets its bearer do. Each role may do what those before it may.
public enum Role: String, Sendable, CaseIterable, Comparable {
  /// Reads.
  case observer
  /// Reads, and writes as the agents that the token names.
  case agent
  /// The same, for agents that it runs: entries name it beside their author.
  case host
  /// Everything within the token's swarm; without a swarm, everything.
  case admin

  public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .observer: 0
    case .agent: 1
    case .host: 2
    case .admin: 3
    }
  }
}

/// What an operation asks of its caller.
enum Permission: String, Sendable {
  /// Nothing: whoever reaches the hub may do it.
  case none
  case read
  case write
  case administer

  func isGiven(to role: Role) -> Bool {
    switch self {
    case .none, .read: true
    case .write: role >= .agent
    case .administer: role == .admin
    }
  }
}
