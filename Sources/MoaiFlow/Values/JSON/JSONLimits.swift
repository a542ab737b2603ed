/// What a parser takes before it refuses, so that no input costs more memory or stack than its reader meant to spend.
public struct JSONLimits: Hashable, Sendable {
  public var bytes: Int
  /// Arrays and objects inside one another. At most ``deepest``: the parser is recursive.
  public var depth: Int {
    didSet { depth = min(depth, JSONLimits.deepest) }
  }
  /// Values of every kind, each field's and element's included. One takes 17 to 40 bytes of memory.
  public var elements: Int

  public static let deepest = 512

  public init(bytes: Int = 16 * 1024 * 1024, depth: Int = 128, elements: Int = 1_000_000) {
    self.bytes = bytes
    self.depth = min(depth, JSONLimits.deepest)
    self.elements = elements
  }

  public static let `default` = JSONLimits()
}
