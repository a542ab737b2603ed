/// Bounds on what a decoder accepts, so that hostile input is refused before it costs memory or stack.
public struct DecodingLimits: Hashable, Sendable {
  /// Bytes of one encoded lattice or delta, and bytes that its texts may share with those before them. Raising it raises,
  /// in proportion, the memory one message can take.
  public var bytes: Int
  /// Entries of one lattice: elements, keys, writes, replicas. An entry takes about a hundred bytes of memory.
  public var elements: Int
  /// Bytes of one element, key or value.
  public var elementBytes: Int
  /// Levels of nesting within one value, for value types that nest.
  public var depth: Int

  public init(bytes: Int = 64 << 20, elements: Int = 4 << 20, elementBytes: Int = 1 << 20, depth: Int = 64) {
    self.bytes = bytes
    self.elements = elements
    self.elementBytes = elementBytes
    self.depth = depth
  }

  public static let standard = DecodingLimits()
}
