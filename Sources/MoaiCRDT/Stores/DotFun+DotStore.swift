extension DotFun: DotStore where Value: Equatable {
  @inlinable
  public func forEachDot(_ body: (Dot) -> Void) {
    for (dot, _) in self { body(dot) }
  }

  @inlinable
  public mutating func remove(_ dot: Dot) {
    removeValue(of: dot)
  }

  @inlinable
  public mutating func adopt(_ dot: Dot, from other: Self) {
    if let value = other[dot] { insert(dot, value) }
  }

  @inlinable
  public func agrees(with other: Self, at dot: Dot) -> Bool {
    self[dot] == other[dot]
  }

  public func checkInvariants() -> [String] {
    zip(self, dropFirst()).filter { !($0.dot < $1.dot) }.map { "\($0.dot) stands before \($1.dot)" }
  }
}

extension DotFun: BinaryDotStore where Value: BinaryValue {
  @inlinable
  public static var nothingPrevious: Value? { nil }

  @inlinable
  public func encodeWrite(_ dot: Dot, after previous: inout Value?, into writer: inout ByteWriter) {
    guard let value = self[dot] else { preconditionFailure("\(dot) is not in the store") }
    value.encode(after: previous, into: &writer)
    previous = value
  }

  @inlinable
  public mutating func decodeWrite(
    _ dot: Dot, after previous: inout Value?, from reader: inout ByteReader, limits: DecodingLimits
  ) throws(DecodingFailure) {
    let value = try Value(after: previous, from: &reader, field: "value", limits: limits)
    insert(dot, value)
    previous = value
  }
}

/// The value of a write that says nothing but "here": what a set keeps under the dot of each add.
@frozen
public struct Presence: Hashable, Sendable {
  @inlinable
  public init() {}
}

extension Presence: BinaryValue {
  /// No bytes.
  @inlinable
  public func encode(after previous: Presence?, into writer: inout ByteWriter) {}

  @inlinable
  public init(
    after previous: Presence?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {}
}

/// Dots alone.
public typealias DotSet = DotFun<Presence>
