extension ByteWriter {
  /// Text after similar text: the number of leading bytes it shares with `previous` (the greatest possible), the number
  /// of bytes that follow, those bytes. The cut may fall inside a character.
  public mutating func text(_ value: String, after previous: String?) {
    var shared = 0
    if let previous { shared = sharedPrefix(previous, value) }
    count(shared)
    count(value.utf8.count - shared)
    append(value, from: shared)
  }
}

extension ByteReader {
  /// Reads what ``ByteWriter/text(_:after:)`` wrote after the same text.
  ///
  /// - Parameters:
  ///   - limit: bytes of the text at most.
  ///   - sharedLimit: bytes that all texts of this input may take from those before them. A few bytes repeat a long
  ///     beginning, so without it memory would not stay in proportion to the input.
  public mutating func text(
    _ field: String, after previous: String?, limit: Int, sharedLimit: Int
  ) throws(DecodingFailure) -> String {
    let start = offset
    let shared = try varint(field)
    let available = previous?.utf8.count ?? 0
    guard shared <= UInt64(available) else {
      throw DecodingFailure(.malformed("shares \(shared) of \(available) bytes"), field: field, offset: start)
    }
    let prefix = Int(shared)
    let length = try count(field)
    guard prefix + length <= limit else {
      throw DecodingFailure(.overLimit("\(prefix + length) bytes, at most \(limit)"), field: field, offset: start)
    }
    guard takeShared(prefix, limit: sharedLimit) else {
      throw DecodingFailure(
        .overLimit("texts share more than \(sharedLimit) bytes"), field: field, offset: start)
    }
    let suffix = skip(length)
    guard let previous, prefix > 0 || length > 0 else {
      guard let text = string(in: suffix) else {
        throw DecodingFailure(.malformed("invalid UTF-8"), field: field, offset: start)
      }
      return text
    }
    let joined = join(previous, prefix, suffix)
    guard joined.prefixIsGreatest else {
      throw DecodingFailure(.notCanonical("shares more than it says"), field: field, offset: start)
    }
    guard let text = joined.text else {
      throw DecodingFailure(.malformed("invalid UTF-8"), field: field, offset: start)
    }
    return text
  }

  /// The text that shares `prefix` bytes with `previous` and goes on with the bytes of `suffix`; nil if that is not
  /// UTF-8.
  private func join(_ previous: String, _ prefix: Int, _ suffix: Range<Int>) -> (text: String?, prefixIsGreatest: Bool)
  {
    let total = prefix + suffix.count
    return withUnsafeTemporaryAllocation(byteCount: total, alignment: 1) { scratch in
      var previousText = previous
      let nextShared: UInt8? = previousText.withUTF8 { old in
        scratch.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(old)[..<prefix]))
        return prefix < old.count ? old[prefix] : nil
      }
      bytes.withUnsafeBytes { all in
        UnsafeMutableRawBufferPointer(rebasing: scratch[prefix...])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: all[suffix]))
      }
      if let nextShared, !suffix.isEmpty, scratch[prefix] == nextShared { return (nil, false) }
      return (String(ifValid: UnsafeRawBufferPointer(scratch)), true)
    }
  }

  func string(in range: Range<Int>) -> String? {
    bytes.withUnsafeBytes { String(ifValid: UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}

extension String {
  /// The text of `utf8`, nil unless that is valid. ASCII, the usual case, skips the general validation.
  init?(ifValid utf8: UnsafeRawBufferPointer) {
    let bytes = utf8.assumingMemoryBound(to: UInt8.self)
    if bytes.allSatisfy({ $0 < 0x80 }) {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init(validating: bytes, as: UTF8.self)
    }
  }
}

/// The number of leading bytes that two strings share.
func sharedPrefix(_ left: String, _ right: String) -> Int {
  var left = left
  var right = right
  return left.withUTF8 { leftBytes in
    right.withUTF8 { rightBytes in
      let bound = min(leftBytes.count, rightBytes.count)
      var shared = 0
      while shared < bound, leftBytes[shared] == rightBytes[shared] { shared += 1 }
      return shared
    }
  }
}
