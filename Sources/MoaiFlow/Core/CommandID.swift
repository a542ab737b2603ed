/// The name that a caller gives one command, 128 random bits, scoped to swarm and agent.
///
/// Applying the same id twice answers the first outcome, so a caller that does not know what became of a command sends
/// it again unchanged.
public struct CommandID: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  public init(using generator: inout some RandomNumberGenerator) {
    self.init(high: generator.next(), low: generator.next())
  }
}
