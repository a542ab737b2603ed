/// A string whose identity is its UTF-8 bytes.
///
/// Swift's `String ==` folds canonical equivalents: "é" written as one scalar (NFC) and as two (NFD) are the same
/// element of a `Set<String>`, and the order of insertion decides which bytes survive. Two replicas that insert in a
/// different order would then differ for ever, so nothing in this library compares, hashes or orders text any other
/// way (rule §1.2).
///
/// Equality and order cost one `memcmp`; hashing feeds the bytes to the hasher without normalising them.
public struct UTF8String: Sendable {
  public let string: String

  @inlinable
  public init(_ string: String) {
    self.string = string
  }

  /// The number of UTF-8 bytes. O(1).
  @inlinable
  public var count: Int { string.utf8.count }
}

extension UTF8String: Equatable {
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    if left.hasSameWords(as: right) { return true }
    return left.string.utf8.count == right.string.utf8.count && compareUTF8(left.string, right.string) == 0
  }

  /// Whether both are the same words in memory: the same short text, or the same storage. Then they are equal, whatever
  /// the words mean; comparing ids that come from one place costs a nanosecond instead of twenty.
  @inlinable
  func hasSameWords(as other: Self) -> Bool {
    guard MemoryLayout<String>.size == MemoryLayout<(UInt64, UInt64)>.size else { return false }
    return unsafeBitCast(string, to: (UInt64, UInt64).self) == unsafeBitCast(other.string, to: (UInt64, UInt64).self)
  }
}

extension UTF8String: Comparable {
  @inlinable
  public static func < (left: Self, right: Self) -> Bool {
    compareUTF8(left.string, right.string) < 0
  }
}

extension UTF8String: Hashable {
  @inlinable
  public func hash(into hasher: inout Hasher) {
    let bytesWereContiguous: Void? = string.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if bytesWereContiguous == nil {
      for byte in string.utf8 { hasher.combine(byte) }
    }
    hasher.combine(0xFF as UInt8)
  }
}

extension UTF8String: ExpressibleByStringLiteral {
  @inlinable
  public init(stringLiteral value: String) {
    self.init(value)
  }
}

extension UTF8String: CustomStringConvertible {
  public var description: String { string }
}

/// Orders two strings by their UTF-8 bytes: negative, zero or positive like `memcmp`.
@inlinable
public func compareUTF8(_ left: String, _ right: String) -> Int {
  let fast = left.utf8.withContiguousStorageIfAvailable { leftBytes in
    right.utf8.withContiguousStorageIfAvailable { rightBytes in
      compareBytes(UnsafeRawBufferPointer(leftBytes), UnsafeRawBufferPointer(rightBytes))
    }
  }
  if let fast, let result = fast { return result }
  var leftBytes = left.utf8.makeIterator()
  var rightBytes = right.utf8.makeIterator()
  while true {
    switch (leftBytes.next(), rightBytes.next()) {
    case (nil, nil): return 0
    case (nil, _): return -1
    case (_, nil): return 1
    case (let l?, let r?): if l != r { return l < r ? -1 : 1 }
    }
  }
}

/// Orders two byte runs: by their common prefix, then the shorter first.
@inlinable
public func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
  let shared = min(left.count, right.count)
  var index = 0
  while index + 8 <= shared {
    let l = UInt64(bigEndian: left.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    let r = UInt64(bigEndian: right.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    if l != r { return l < r ? -1 : 1 }
    index += 8
  }
  while index < shared {
    if left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
    index += 1
  }
  return left.count - right.count
}
