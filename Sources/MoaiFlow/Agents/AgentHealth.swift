public import MoaiCRDT

/// How an agent is, judged by how long it has been silent (rule §7.3): less than one of its intervals, less than two, less
/// than three, or longer.
public enum AgentHealth: String, Sendable, Hashable, CaseIterable {
  case healthy, degraded, critical
  /// Declared failed by an entry: its leases return, its votes count as missing.
  case failed

  /// Where it begins, on the scale of ``FailureDetector/level(at:)``.
  var threshold: Double {
    switch self {
    case .healthy: 0
    case .degraded: 1
    case .critical: 2
    case .failed: 3
    }
  }
}

extension AgentHealth: Comparable {
  public static func < (left: Self, right: Self) -> Bool { left.threshold < right.threshold }
}

/// How silence becomes health.
public enum FailureDetection: String, Sendable, Hashable, CaseIterable {
  /// By the interval that the agent registered with.
  case intervals
  /// By how its signs have come so far (Hayashibara et al. 2004): those of a regular agent are missed sooner, those of an
  /// irregular one later.
  case phiAccrual = "phi"
}

/// A sign of life that an agent gives on purpose.
public struct Heartbeat: Sendable, Hashable {
  /// For how long it expects to say nothing: a long call to a model or a tool. Suspends suspicion for so long, at most
  /// ``longestBusy``; 0 ends what was announced before.
  public var busyMilliseconds: Int64?
  /// How far it is with what it does, any value that changes as it gets on. Nil: it does nothing that takes long.
  public var progress: StateValue?
  /// What it does, for people.
  public var status: StateValue?

  /// Raising it lets an agent that has announced a long call and died be taken for busy for longer.
  public static let longestBusy: Int64 = 3_600_000

  public init(busyMilliseconds: Int64? = nil, progress: StateValue? = nil, status: StateValue? = nil) {
    self.busyMilliseconds = busyMilliseconds
    self.progress = progress
    self.status = status
  }
}

/// What has become of an agent's health.
public struct HealthReport: Sendable, Hashable {
  public let agent: AgentID
  public let incarnation: Revision
  public let health: AgentHealth
  /// It gives signs of life, and its progress has been the same for long.
  public let isStuck: Bool
  /// Milliseconds since the last sign, or since silence began to count.
  public let silence: Int64
}
