public import MoaiCRDT

/// A state survives encoding, with its invariants, and has one encoding only (rule §4.9).
public func encodingViolations<State: BinaryLattice>(_ state: State) -> [LawViolation] {
  let bytes = state.encoded()
  do throws(DecodingFailure) {
    let back = try State(decoding: bytes)
    var found = back.checkInvariants().map { LawViolation("invariant", "\($0) in \(back), decoded") }
    if back != state { found.append(LawViolation("round trip", "\(state) came back as \(back)")) }
    if back.encoded() != bytes { found.append(LawViolation("one encoding", "\(state)")) }
    return found
  } catch {
    return [LawViolation("round trip", "\(error) in \(state)")]
  }
}

/// Damaged bytes are refused or are another state's own bytes; a decoder never accepts a second spelling, and never
/// traps. Tries every truncation, one more byte, and every single-bit flip.
public func damageViolations<State: BinaryLattice>(_ state: State) -> [LawViolation] {
  let bytes = state.encoded()
  var found: [LawViolation] = []
  for length in bytes.indices where (try? State(decoding: Array(bytes[..<length]))) != nil {
    found.append(LawViolation("truncated", "\(length) of \(bytes.count) bytes of \(state)"))
  }
  if (try? State(decoding: bytes + [0])) != nil { found.append(LawViolation("trailing byte", "\(state)")) }
  for position in bytes.indices {
    for bit in 0..<8 {
      var damaged = bytes
      damaged[position] ^= 1 << UInt8(bit)
      guard let decoded = try? State(decoding: damaged) else { continue }
      for complaint in decoded.checkInvariants() {
        found.append(LawViolation("invariant", "\(complaint) after bit \(bit) of byte \(position) in \(bytes)"))
      }
      if decoded.encoded() != damaged {
        found.append(LawViolation("second spelling", "\(damaged) decodes to what is written \(decoded.encoded())"))
      }
    }
  }
  return found
}
