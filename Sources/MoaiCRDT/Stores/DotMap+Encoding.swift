extension DotMap: BinaryDotStore where Key: BinaryValue, Store: BinaryDotStore {
  /// The key of the last write, and what the stores need.
  @frozen
  public struct Previous: Sendable {
    @usableFromInline var key: Key?
    @usableFromInline var inner: Store.Previous

    @inlinable
    init(key: Key?, inner: Store.Previous) {
      self.key = key
      self.inner = inner
    }
  }

  @inlinable
  public static var nothingPrevious: Previous { Previous(key: nil, inner: Store.nothingPrevious) }

  @inlinable
  public func encodeWrite(_ dot: Dot, after previous: inout Previous, into writer: inout ByteWriter) {
    guard let slot = log.slot(of: dot) else { preconditionFailure("\(dot) is not in the store") }
    let key = table.keys[slot]
    key.encode(after: previous.key, into: &writer)
    previous.key = key
    stores[slot].encodeWrite(dot, after: &previous.inner, into: &writer)
  }

  @inlinable
  public mutating func decodeWrite(
    _ dot: Dot, after previous: inout Previous, from reader: inout ByteReader, limits: DecodingLimits
  ) throws(DecodingFailure) {
    let key = try Key(after: previous.key, from: &reader, field: "key", limits: limits)
    let slot = makeSlot(key, mark: KeyTable<Key>.mark(of: key))
    try stores[slot].decodeWrite(dot, after: &previous.inner, from: &reader, limits: limits)
    log.insert(dot, slot: slot)
    dotCount += 1
    previous.key = key
  }
}
