public import MoaiCRDT

/// Where a memory entry stands: a key within a namespace, and the state key `memory/NAMESPACE/KEY` that both make.
///
/// A namespace holds no `/`, so the first `/` after it ends it; a key may hold any number.
public struct MemoryName: Hashable, Sendable {
  /// What every state key of the memory begins with.
  static let root = "memory/"

  public let namespace: UTF8String
  public let key: UTF8String
  public let stateKey: StateKey

  /// - Throws: `.invalid` naming `/namespace` or `/key`, where one is empty, has a control character, or both together
  ///   with `memory/` have more than the 512 bytes of a state key (rule §1.1).
  public init(namespace: String, key: String) throws(SwarmError) {
    try MemoryName.check(namespace)
    guard !key.isEmpty else { throw .invalid(field: "/key", "the key is empty") }
    do {
      stateKey = try StateKey(MemoryName.prefix(of: namespace) + key)
    } catch {
      throw .invalid(field: "/key", "as the state key memory/NAMESPACE/KEY: \(error.problem)")
    }
    self.namespace = UTF8String(namespace)
    self.key = UTF8String(key)
  }

  /// The place that a state key stands for; nil if it is none of the memory's.
  init?(_ stateKey: StateKey) {
    let bytes = stateKey.name.string.utf8
    guard bytes.starts(with: MemoryName.root.utf8) else { return nil }
    let rest = bytes.dropFirst(MemoryName.root.utf8.count)
    guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), slash > rest.startIndex else { return nil }
    let key = rest[rest.index(after: slash)...]
    guard !key.isEmpty else { return nil }
    namespace = UTF8String(String(Substring(rest[..<slash])))
    self.key = UTF8String(String(Substring(key)))
    self.stateKey = stateKey
  }

  /// What the state keys of a namespace begin with.
  static func prefix(of namespace: String) -> String { root + namespace + "/" }

  static func check(_ namespace: String) throws(SwarmError) {
    guard !namespace.isEmpty else { throw .invalid(field: "/namespace", "the namespace is empty") }
    guard !namespace.utf8.contains(UInt8(ascii: "/")) else {
      throw .invalid(field: "/namespace", "a namespace holds no /")
    }
    // The shortest key after it has one byte.
    do {
      _ = try StateKey(prefix(of: namespace) + "k")
    } catch {
      throw .invalid(field: "/namespace", "as the state key memory/NAMESPACE/KEY: \(error.problem)")
    }
  }
}

extension MemoryName: Comparable {
  /// The order of the state keys' bytes.
  public static func < (left: Self, right: Self) -> Bool { left.stateKey < right.stateKey }
}
