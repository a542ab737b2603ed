import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct DeltaSyncTests {
  private func key(_ name: String) throws -> StateKey { try StateKey(name) }

  @Test("§5.3 each changed key once, in the order of its last revision, deletions included")
  func eachKeyOnce() throws {
    var harness = CoreHarness()
    for name in ["a", "b", "c"] { try harness.write(name, .increment(1)) }
    try harness.write("a", .increment(1))
    try harness.write("b", .delete)
    try harness.write("a", .increment(1))
    let page = harness.changes(since: 1)
    #expect(page.changes.map(\.key.name.string) == ["c", "b", "a"])
    #expect(page.changes.map(\.revision) == [3, 5, 6])
    #expect(page.changes[1].content == .deleted)
    #expect(page.changes[2].content == .operations([.increment(2)]))
    #expect(page.cursor?.revision == 6)
    #expect(page.next == nil)
    #expect(harness.changes(since: 6).changes == [])
  }

  @Test("§5.3 deltas are operations against the value at since; asked for as values they are values")
  func deltas() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["a", "b"]), type: .set)
    try harness.write("m", .value(["a": 1, "b": 1]), type: .map)
    try harness.write("r", .assign(1))
    try harness.write("s", .operations([.remove("a"), .add("c"), .add("d")]))
    try harness.write("s", .remove("d"))
    try harness.write("m", .operations([.removeField("a"), .put(field: "b", 2), .put(field: "c", 3)]))
    try harness.write("m", .put("b", 1))
    try harness.write("r", .assign(2))
    #expect(
      harness.changes(since: 3).changes.map(\.content) == [
        .operations([.remove("a"), .add("c")]),
        .operations([.removeField("a"), .put(field: "c", 3)]), .operations([.assign(2)]),
      ])
    #expect(
      harness.changes(since: 3, asValues: true).changes.map(\.content) == [
        .value(["b", "c"]), .value(["b": 1, "c": 3]), .value(2),
      ])
    #expect(harness.changes(since: 2).changes.last?.content == .value(2), "a key that is new is a value")
  }

  @Test("§5.3 nothing ever splits an entry: a page may exceed its limit by the rest of one")
  func pagesEndBetweenEntries() throws {
    var harness = CoreHarness()
    try harness.write(try ["a", "b", "c"].map { WriteRequest(try key($0), .increment(1)) }, by: "alice")
    try harness.write(try ["d", "e"].map { WriteRequest(try key($0), .increment(1)) }, by: "alice")
    let first = harness.changes(since: 0, limit: 1)
    #expect(first.changes.count == 3)
    #expect(first.cursor == nil)
    let next = try #require(first.next)
    let second = harness.changes(since: 0, position: next.position, limit: 1)
    #expect(second.changes.map(\.key.name.string) == ["d", "e"])
    #expect(second.cursor?.revision == 2)
    #expect(harness.changes(since: 0, maxBytes: 1).changes.count == 3)
  }

  @Test("§5.3 a key behind what it remembers is sent whole, marked so")
  func trimmedKeysAreSentWhole() throws {
    var harness = CoreHarness()
    let large = String(repeating: "x", count: 300)
    try harness.write("s", .add("keep"))
    for index in 0..<60 {
      try harness.write("s", .add(.string(UTF8String("\(index)" + large))))
      try harness.write("s", .remove(.string(UTF8String("\(index)" + large))))
    }
    let reach = try #require(
      harness.core.state.keys.slot(of: key("s")).map { harness.core.state.keys[$0].record.recent.reach })
    #expect(reach > 1)
    #expect(harness.changes(since: reach - 1).changes.map(\.content) == [.value(["keep"])])
    #expect(harness.changes(since: reach).changes.map(\.content) == [.operations([])])
  }

  @Test("§5.3 what a key remembers is bounded in bytes")
  func memoryIsBounded() throws {
    var harness = CoreHarness()
    for index in 0..<2_000 { try harness.write("m", .put("f", .int(Int64(index)))) }
    for index in 0..<2_000 { try harness.write("c", .increment(Int64(index))) }
    for row in harness.core.state.keys.rows {
      #expect(row.record.recent.changes.count < 200)
      #expect(row.record.recent.changes.count > 20)
    }
  }

  @Test("§5.3 the cost of changes is what changed, whatever exists", arguments: [100, 1_000, 10_000])
  func costIsWhatChanged(existing: Int) throws {
    var harness = CoreHarness()
    for index in 0..<existing { harness.applyFast(.increment(1), to: "k\(index)") }
    let since = harness.core.revision
    for index in 0..<20 { harness.applyFast(.increment(1), to: "k\(index * 3)") }
    var visited = 0
    harness.core.state.keys.forEachChanged(after: since) { _ in
      visited += 1
      return true
    }
    #expect(visited == 20)
    #expect(harness.core.state.keys.changesKept <= 2 * existing + 65)
  }

  @Test("§5.3 the index of changes does not grow with the number of changes")
  func indexIsBounded() throws {
    var harness = CoreHarness()
    for index in 0..<5_000 { harness.applyFast(.increment(1), to: "k\(index % 7)") }
    #expect(harness.core.state.keys.changesKept <= 2 * 7 + 65)
    #expect(harness.changes(since: 4_990).changes.count == 7)
    #expect(harness.changes(since: 4_996).changes.count == 4)
  }

  @Test(
    "§5.3 pages while others write: deltas against the pass's since, the cursor with the last page", arguments: 0..<24)
  func pagesWhileOthersWrite(seed: Int) throws {
    var run = StateRun(seed: UInt64(9_000 + seed), isLarge: seed % 5 == 4)
    var mirror = StateMirror()
    for _ in 0..<12 {
      for _ in 0..<(3 + run.random.below(12)) { try run.step() }
      let since = mirror.revision
      var position = since
      while true {
        let page = run.harness.changes(since: since, position: position, limit: 1 + run.random.below(3))
        let before = mirror.values
        try mirror.apply(page)
        guard let next = page.next else {
          #expect(mirror.cursor == run.harness.cursor)
          break
        }
        #expect(mirror.values == before, "nothing is put in place before the last page")
        position = next.position
        for _ in 0..<run.random.below(4) { try run.step() }
      }
      for (name, _) in StateRun.keys {
        try #require(mirror.values[try key(name)] == run.harness.value(name), "seed \(seed), key \(name)")
      }
    }
  }

  @Test("§5.3 a key that was handed out on one page and deleted before the next is gone at the end")
  func deletedBetweenPages() throws {
    var harness = CoreHarness()
    for name in ["a", "b", "c"] { try harness.write(name, .assign(1)) }
    var mirror = StateMirror()
    let first = harness.changes(since: 0, limit: 1)
    try mirror.apply(first)
    try harness.write("a", .delete)
    try mirror.apply(harness.changes(since: 0, position: try #require(first.next).position))
    #expect(mirror.values.keys.sorted().map(\.name.string) == ["b", "c"])
  }

  @Test("§5.3 a pass from the beginning names no key that is deleted")
  func beginningNamesNoDeletedKeys() throws {
    var harness = CoreHarness()
    for name in ["a", "b"] { try harness.write(name, .assign(1)) }
    try harness.write("a", .delete)
    #expect(harness.changes(since: 0).changes.map(\.key.name.string) == ["b"])
  }

  @Test("§5.3 a pass that is given up leaves nothing behind in the next")
  func abandonedPasses() throws {
    var harness = CoreHarness()
    for name in ["a", "b", "c"] { try harness.write(name, .assign(1)) }
    var mirror = StateMirror()
    try mirror.apply(harness.changes(since: 0, limit: 1))
    try harness.write("a", .delete)
    try mirror.apply(harness.changes(since: 0))
    #expect(mirror.values.keys.sorted().map(\.name.string) == ["b", "c"])
  }

  @Test("§5.3 the filter is by the bytes of the prefix")
  func filter() throws {
    var harness = CoreHarness()
    for name in ["a/1", "a/2", "b/1", "\u{E9}", "e\u{301}"] { try harness.write(name, .assign(1)) }
    func changed(_ prefix: String) -> [String] {
      harness.core.state.changes(
        since: 0, position: 0, began: 0, isSnapshot: false,
        query: ChangesQuery(since: .beginning, filter: KeyFilter(prefix: prefix)), head: harness.core.revision,
        epoch: harness.core.epoch, agents: harness.core.agents
      ).changes.map(\.key.name.string)
    }
    #expect(changed("a/") == ["a/1", "a/2"])
    #expect(changed("e").map { Array($0.utf8) } == [Array("e\u{301}".utf8)])
    #expect(changed("zz") == [])
  }

  @Test("tokens and cursors read back what they print, and nothing else")
  func tokensAreText() throws {
    let token = PageToken(epoch: Epoch(0xABC), since: 3, position: 17, began: 20, isSnapshot: true)
    #expect(PageToken(token.description) == token)
    let cursor = Cursor(epoch: Epoch(.max), revision: 12)
    #expect(Cursor(cursor.description) == cursor)
    #expect(RevisionReference("12") == .revision(12))
    #expect(RevisionReference(cursor.description) == .cursor(cursor))
    for text in [
      "", "-", "12", "zzzzzzzzzzzzzzzz-1", "0000000000000001-", "0000000000000001--1", "0000000000000001-+1",
      "+000000000000001-1", "0000000000000001-99999999999999999999", "0000000000000001-1-", " 0000000000000001-1",
      "0000000000000001-\u{661}",
    ] {
      #expect(Cursor(text) == nil, "\(text)")
      #expect(PageToken(text) == nil, "\(text)")
    }
    for text in ["0000000000000001-1-2-x", "0000000000000001-1-2-", "0000000000000001-1-2", "0000000000000001-1-2-d-"] {
      #expect(PageToken(text) == nil, "\(text)")
    }
    #expect(RevisionReference("-1") == nil)
    #expect(RevisionReference("140737488355328") == nil)
  }
}
