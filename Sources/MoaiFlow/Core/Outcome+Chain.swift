import MoaiCRDT

extension Outcome {
  /// Feeds what the outcome says to the chain hash.
  func combine(into hash: inout StableHash) {
    hash.combine(UInt64(isRepeat ? 1 : 0))
    switch result {
    case .state(let outcome):
      hash.combine(UInt64(2))
      outcome.forEachKey { key in
        hash.combine(UInt64(key.revision))
        hash.combine(UInt64(bitPattern: key.version))
        hash.combine(UInt64(key.overwrote.count) << 1 | (key.changed ? 1 : 0))
      }
    case .settings: hash.combine(UInt64(3))
    case .journal: hash.combine(UInt64(4))
    case .refused, .replica, .agent:
      var writer = ByteWriter()
      encode(into: &writer)
      hash.combine(bytes: writer.bytes)
    }
  }
}

extension StateTable {
  /// Feeds what a key's record says beside its value to a hash; the value follows from the entries, which are hashed.
  func digest(_ slot: Int, into hash: inout StableHash) {
    hash.combine(keys[slot].revision)
    hash.combine(UInt64(keys[slot].record.header.contentSize))
    hash.combine(keys[slot].record.header.version)
    hash.combine(keys[slot].record.header.created.replica.rawValue)
    hash.combine(keys[slot].record.header.created.number)
    hash.combine(keys[slot].record.counterSum)
  }
}
