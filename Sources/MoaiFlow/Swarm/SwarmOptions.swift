/// The numbers of one swarm in one process. All have defaults that suit a laptop.
public struct SwarmOptions: Sendable {
  /// Commands that wait for the journal at most; one more is refused with `busy`. Raising it costs memory under
  /// overload and makes everybody wait longer; lowering it refuses bursts.
  public var pendingEntries = 65_536
  /// Bytes of them.
  public var pendingBytes = 64 << 20
  /// Entries that one append hands to the engine at most. Raising it lengthens the longest commit.
  public var batchEntries = 4_096
  public var batchBytes = 8 << 20
  /// Changed keys that wait in one reader's mailbox at most; beyond that the reader catches up from the state.
  public var feedCapacity = 8_192
  /// Readers that wait for a revision at most (rule §5.7); one more is refused with `busy`. Raising it costs a look at
  /// each of them whenever one comes or gives up.
  public var waitingReaders = 4_096
  /// Entries after which a checkpoint is saved. Raising it makes opening replay more; lowering it writes hot keys more
  /// often.
  public var checkpointEntries = 10_000
  /// Bytes of entries after which one is saved.
  public var checkpointBytes = 32 << 20
  /// What the memory entries outside the journal may take.
  public var volatileMemory = VolatileMemory.Limits()
  /// How silence becomes suspicion (rule §7.3).
  public var failureDetection = FailureDetection.intervals
  /// How long, in milliseconds, nobody may have looked after the agents before their silence begins anew: this process itself
  /// was away. Twice as long as it is between two looks.
  public var pauseLimit: Int64 = 2_000
  /// Milliseconds of a clock that never goes back: how long agents are silent.
  public var monotonicMilliseconds: @Sendable () -> Int64
  /// Milliseconds since 1970, for people; it decides nothing.
  public var wallMilliseconds: @Sendable () -> Int64
  /// Where command ids come from that a caller did not give: 128 bits that never repeat.
  public var makeCommandID: @Sendable () -> CommandID

  public init(
    makeCommandID: @escaping @Sendable () -> CommandID, monotonicMilliseconds: @escaping @Sendable () -> Int64,
    wallMilliseconds: @escaping @Sendable () -> Int64
  ) {
    self.makeCommandID = makeCommandID
    self.monotonicMilliseconds = monotonicMilliseconds
    self.wallMilliseconds = wallMilliseconds
  }

  /// Command ids from the system's generator, time from its clocks.
  public init() {
    self.init(
      makeCommandID: { .random() }, monotonicMilliseconds: { SystemTime.monotonicMilliseconds },
      wallMilliseconds: { SystemTime.wallMilliseconds })
  }
}

extension CommandID {
  /// From the system's generator, for shells: the core gets its randomness from outside.
  public static func random() -> CommandID {
    var system = SystemRandomNumberGenerator()
    return CommandID(using: &system)
  }
}
