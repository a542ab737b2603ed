public import MoaiCRDT

/// A value that an agent remembers under a name.
public struct MemoryEntry: Sendable, Hashable {
  public let name: MemoryName
  public let value: StateValue
  public let agent: AgentID
  /// Where the journal keeps it; nil: the entry is volatile, it lives in one process and ends with it.
  public let record: Record?

  public struct Record: Sendable, Hashable {
    public let revision: Revision
    public let timestamp: Timestamp
  }

  public var isPersistent: Bool { record != nil }
}

/// A page of a namespace's entries in the order of their keys' bytes.
public struct MemoryPage: Sendable, Hashable {
  public let entries: [MemoryEntry]
  /// The key to go on after; nil at the end.
  public let next: UTF8String?
  /// How far the swarm had come when the reading began.
  public let revision: Revision
}

/// What the memory holds, namespace by namespace in the order of their bytes.
public struct MemoryStatistics: Sendable, Hashable {
  public struct Namespace: Sendable, Hashable {
    public let name: UTF8String
    public internal(set) var persistentEntries = 0
    /// Bytes of the values in canonical JSON.
    public internal(set) var persistentBytes = 0
    public internal(set) var volatileEntries = 0
    public internal(set) var volatileBytes = 0
  }

  public let namespaces: [Namespace]
  /// How far the swarm had come when the reading began.
  public let revision: Revision
}
