import MoaiCRDT
import MoaiFlow
import Testing

@testable import MoaiFlowTesting

/// The judge itself, on examples worked out by hand from the rules.
@Suite struct PlainModelTests {
  private var model = PlainModel()
  private var ids: UInt64 = 0

  private mutating func write(
    _ agent: String, _ key: String, _ content: KeyWrite.Content, base: Revision? = nil, condition: Revision? = nil,
    id: UInt64? = nil, at time: Int64 = 0
  ) throws -> PlainVerdict {
    ids += 1
    let write = KeyWrite(key: try StateKey(key), content: content, base: base, condition: condition)
    let entry = Entry(
      author: try AgentID(agent), id: CommandID(high: 0, low: id ?? ids), requestHash: 0,
      command: .state(.write([write])))
    return model.apply(entry, appendedAt: time)
  }

  private func value(_ key: String) throws -> StateValue? { model.value(of: try StateKey(key)) }

  @Test("§4.2 a remove takes what its writer had seen; an add that it had not seen stays")
  mutating func addWins() throws {
    _ = try write("alice", "s", .operations([.add("x")]))
    _ = try write("bob", "s", .operations([.add("x")]))
    _ = try write("alice", "s", .operations([.remove("x")]), base: 1)
    #expect(try value("s") == ["x"])
    _ = try write("alice", "s", .operations([.remove("x")]))
    #expect(try value("s") == [])
  }

  @Test("§4.2 §1.6 of writes that have not seen each other the later entry is shown, and both stand")
  mutating func lastWrite() throws {
    _ = try write("zoe", "r", .operations([.assign("first")]))
    _ = try write("bob", "r", .operations([.assign("second")]), base: 0)
    #expect(try value("r") == "second")
    _ = try write("bob", "r", .operations([.assign("third")]), base: 1)
    #expect(model.keys[try StateKey("r")]?.standing.map(\.value) == ["second", "third"])
  }

  @Test("a repeated command id does nothing for a day of journal time, and everything after it")
  mutating func repeats() throws {
    let day: Int64 = 24 * 60 * 60 * 1000
    _ = try write("alice", "c", .operations([.increment(2)]), id: 9)
    #expect(try write("alice", "c", .operations([.increment(2)]), id: 9, at: day - 1).isEffective == false)
    #expect(try value("c") == 2)
    #expect(try write("alice", "c", .operations([.increment(2)]), id: 9, at: day).isEffective)
    #expect(try value("c") == 4)
  }

  @Test("§4.5 a refused entry uses a revision and changes nothing")
  mutating func refusal() throws {
    _ = try write("alice", "c", .operations([.increment(2)]))
    #expect(try write("bob", "c", .operations([.increment(5)]), condition: 7) == .refused(.conditionFailed))
    #expect(try write("bob", "c", .operations([.add(5)])) == .refused(.typeMismatch))
    #expect(try write("alice", "c", .operations([.increment(.max)])) == .refused(.counterOverflow))
    #expect(try value("c") == 2)
    #expect(model.revision == 4)
  }

  @Test("patterns are matched as the glob says", arguments: ["", "a", "ab", "ba", "a/b/c", "abab"])
  func patterns(name: String) {
    for pattern in ["", "*", "a*", "*b", "a*b", "*a*", "a*b*b", "**"] {
      #expect(PlainModel.matches(pattern, name) == GlobPattern(pattern).matches(UTF8String(name)), "\(pattern)")
    }
  }
}
