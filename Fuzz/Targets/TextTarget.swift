import MoaiCRDT
import MoaiFlow

/// Short texts from outside: cursors, page tokens, times, names and patterns.
///
/// A cursor and a page token that are read have this very text; a time that is written is read as the same time; a
/// pattern matches as a plain search with all its retries does.
package enum TextTarget: FuzzTarget {
  package static let name = "text"
  package static let words = ["000000000000000e-", "-s", "-d", "2025-11-29T10:00:00", ".123456Z", "+01:00", "*", "\0"]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    let text = String(decoding: input, as: UTF8.self)
    var isSomething = false
    if let cursor = Cursor(text) {
      try Finding.unless(same("\(cursor)", text), "the cursor \(text) is \(cursor)")
      try Finding.unless(RevisionReference(text) == .cursor(cursor), "\(text) is a cursor and no reference")
      isSomething = true
    }
    if let token = PageToken(text) {
      try Finding.unless(same("\(token)", text), "the token \(text) is \(token)")
      isSomething = true
    }
    if case .revision(let revision)? = RevisionReference(text) {
      try Finding.unless(0..<(1 << 47) ~= revision, "\(revision) is no revision")
      isSomething = true
    }
    if let time = try? Timestamp(rfc3339: text) {
      let again = try? Timestamp(rfc3339: time.rfc3339, logical: time.logical)
      try Finding.unless(again == time, "\(text) is \(time.rfc3339) and \(time.logical)")
      isSomething = true
    }
    if let key = try? StateKey(text) {
      try Finding.unless(same("\(key)", text), "the key \(text) is \(key)")
      isSomething = true
    }
    if let agent = try? AgentID(text) {
      try Finding.unless((try? AgentID(author: text)) == agent, "\(text) is an agent and no author")
    }
    _ = try? SwarmName(text)
    return try checkPattern(input) || isSomething
  }

  private static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

  /// The pattern, a zero, the name.
  private static func checkPattern(_ input: [UInt8]) throws(Finding) -> Bool {
    let halves = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else { return false }
    let pattern = GlobPattern(String(decoding: halves[0], as: UTF8.self))
    let name = UTF8String(String(decoding: halves[1], as: UTF8.self))
    // Neither is longer where they come from.
    guard pattern.text.count <= 512, name.count <= 512 else { return false }
    let matches = pattern.matches(name)
    try Finding.unless(
      matches == plainly(Array(pattern.text.string.utf8), Array(name.string.utf8)), "\(pattern.text) and \(name)")
    return true
  }

  /// Whether the pattern matches, by its first characters: row by row which beginnings of the name are matched.
  private static func plainly(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
    var matched = [true] + Array(repeating: false, count: name.count)
    for byte in pattern {
      var next = Array(repeating: false, count: name.count + 1)
      for length in 0...name.count {
        if byte == UInt8(ascii: "*") {
          next[length] = matched[length] || length > 0 && next[length - 1]
        } else if length > 0 {
          next[length] = matched[length - 1] && name[length - 1] == byte
        }
      }
      matched = next
    }
    return matched[name.count]
  }

  package static func seeds() -> [[UInt8]] {
    let texts = [
      "000000000000000e-12", "ffffffffffffffff-0", "12", "00e-1", "000000000000000e-3-5-9-s",
      "000000000000000e-0-0-0-d",
      "2025-11-29T10:00:00Z", "2025-11-29t10:00:00.123456z", "0000-01-01T00:00:00-00:01", "9999-12-31T23:59:59.9+00:00",
      "2024-02-29T23:59:59", "key/with/parts", "caf\u{E9}", "agent-1_x.y", "coordinator", "swarm-1",
      "a*b*c\0a-b-b-c", "*\0", "\0", "**a\0bca", "stock/*\0stock/bolts",
    ]
    return texts.map { Array($0.utf8) }
  }
}
