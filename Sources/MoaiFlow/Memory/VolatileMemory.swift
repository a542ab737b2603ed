import MoaiCRDT
import Synchronization

/// Memory entries that stay outside the journal: fast, of one process, gone with it.
///
/// Bounded. An entry that does not fit is refused; nothing is evicted, because whoever stored it counts on it.
public final class VolatileMemory: Sendable {
  /// Raising these costs the process memory that nothing gives back before the entries are deleted.
  public struct Limits: Sendable, Hashable {
    public var entries = 10_000
    /// Bytes of the values in canonical JSON and of the names.
    public var bytes = 64 << 20

    public init() {}
  }

  private struct Entry {
    let value: StateValue
    let agent: AgentID
    let bytes: Int
  }

  private struct Contents {
    var entries: [MemoryName: Entry] = [:]
    var bytes = 0
  }

  private let contents = Mutex(Contents())
  private let limits: Limits

  public init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// Returns whether nothing stood under the name.
  /// - Throws: `.memoryFull`; then the entry that stood under the name is still there.
  @discardableResult
  func store(_ value: StateValue, as name: MemoryName, by agent: AgentID) throws(SwarmError) -> Bool {
    let new = Entry(value: value, agent: agent, bytes: value.encodedSize + name.stateKey.name.count)
    return try contents.withLock { (contents: inout Contents) throws(SwarmError) in
      let old = contents.entries[name]
      guard contents.entries.count + (old == nil ? 1 : 0) <= limits.entries else {
        throw .memoryFull("\(limits.entries) volatile entries are stored, at most so many fit")
      }
      let bytes = contents.bytes - (old?.bytes ?? 0) + new.bytes
      guard bytes <= limits.bytes else {
        throw .memoryFull("the volatile entries would take \(bytes) bytes, at most \(limits.bytes) fit")
      }
      contents.entries[name] = new
      contents.bytes = bytes
      return old == nil
    }
  }

  func retrieve(_ name: MemoryName) -> MemoryEntry? {
    contents.withLock { $0.entries[name] }.map { entry(name, $0) }
  }

  @discardableResult
  func delete(_ name: MemoryName) -> Bool {
    contents.withLock { contents in
      guard let old = contents.entries.removeValue(forKey: name) else { return false }
      contents.bytes -= old.bytes
      return true
    }
  }

  /// Every entry of a namespace, in the order of their keys' bytes; nil: of all. O(n log n).
  func entries(of namespace: UTF8String? = nil) -> [MemoryEntry] {
    contents.withLock { contents in contents.entries.filter { namespace == nil || $0.key.namespace == namespace } }
      .map { entry($0.key, $0.value) }
      .sorted { $0.name < $1.name }
  }

  private func entry(_ name: MemoryName, _ entry: Entry) -> MemoryEntry {
    MemoryEntry(name: name, value: entry.value, agent: entry.agent, record: nil)
  }
}
