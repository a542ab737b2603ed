import MoaiCRDT

extension Outcome {
  /// Feeds what the outcome says to the chain hash.
  func combine(into hash: inout StableHash) {
    hash.combine(UInt64(isRepeat ? 1 : 0))
    switch result {
    case .state(let outcome):
      hash.combine(UInt64(2))
      for key in outcome.keys {
        hash.combine(UInt64(key.revision))
        hash.combine(UInt64(bitPattern: key.version))
        hash.combine(UInt64(key.overwrote.count) << 1 | (key.changed ? 1 : 0))
      }
    case .settings: hash.combine(UInt64(3))
    case .refused(let refusal):
      var writer = ByteWriter()
      Outcome(revision: revision, result: .refused(refusal)).encode(into: &writer)
      hash.combine(bytes: writer.bytes)
    }
  }
}

extension StateTable {
  /// A fast digest of what a key's record says beside its value; the value follows from the entries, which are hashed.
  func digest(of key: StateKey) -> UInt64 {
    guard let slot = keys.slot(of: key) else { return 0 }
    let header = keys[slot].record.header
    var hash = StableHash()
    hash.combine(UInt64(header.contentSize))
    hash.combine(UInt64(bitPattern: header.version))
    hash.combine(header.created.number)
    hash.combine(UInt64(bitPattern: keys[slot].record.counterSum))
    return hash.finalize()
  }
}
