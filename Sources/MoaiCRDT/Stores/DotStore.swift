/// What lives under dots: the part of a causal lattice beside its context (Almeida, Shoker, Baquero 2018, section 7).
///
/// A dot occurs at most once in a store, because it names one write. All joins follow from that and one rule: a write is
/// in the join if both have it, or if one has it and the other has not seen it. One that the other has seen and does not
/// have was overwritten or removed there.
public protocol DotStore: Equatable, Sendable {
  init()

  var isEmpty: Bool { get }

  func contains(_ dot: Dot) -> Bool

  /// Calls `body` with every dot, in order.
  func forEachDot(_ body: (Dot) -> Void)

  /// Removes the write; does nothing if it is not there.
  mutating func remove(_ dot: Dot)

  /// Copies one write of `other`, which has it; this store has not.
  mutating func adopt(_ dot: Dot, from other: Self)

  /// Whether both stores hold the same write under `dot`.
  func agrees(with other: Self, at dot: Dot) -> Bool

  /// Joins `other`, which has seen `otherContext`, into this store, which has seen `context`.
  mutating func join(_ other: Self, seen context: CausalContext, otherSeen otherContext: CausalContext)

  /// The dots of this store that are in `context`.
  func dots(in context: CausalContext) -> CausalContext

  /// What is broken, in words; empty when nothing is.
  func checkInvariants() -> [String]
}

extension DotStore {
  /// The dots of this store, in order.
  @inlinable
  public var dots: [Dot] {
    var dots: [Dot] = []
    forEachDot { dots.append($0) }
    return dots
  }

  @inlinable
  public mutating func join(_ other: Self, seen context: CausalContext, otherSeen otherContext: CausalContext) {
    for dot in dots where otherContext.contains(dot) && !other.contains(dot) { remove(dot) }
    other.forEachDot { dot in
      if !context.contains(dot), !contains(dot) { adopt(dot, from: other) }
    }
  }

  @inlinable
  public func dots(in context: CausalContext) -> CausalContext {
    CausalContext(dots.filter(context.contains))
  }
}

/// A store whose writes can be encoded one by one, in dot order.
public protocol BinaryDotStore: DotStore {
  /// What the writes coded so far let the next one leave out.
  associatedtype Previous: Sendable

  /// Where coding starts.
  static var nothingPrevious: Previous { get }

  /// Appends what is under `dot`, without the dot.
  func encodeWrite(_ dot: Dot, after previous: inout Previous, into writer: inout ByteWriter)

  /// Reads what ``encodeWrite(_:after:into:)`` wrote and puts it under `dot`, which is greater than every dot here.
  mutating func decodeWrite(
    _ dot: Dot, after previous: inout Previous, from reader: inout ByteReader, limits: DecodingLimits
  ) throws(DecodingFailure)
}
