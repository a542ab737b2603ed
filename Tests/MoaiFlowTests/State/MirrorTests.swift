import MoaiCRDT
import Testing

@testable import MoaiFlow

/// A receiver applies changes only where its knowledge ends (rules §5.3, §5.4).
@Suite struct MirrorTests {
  private let epoch = Epoch(1)

  private func change(_ key: String, at revision: Revision, _ content: StateChange.Content) throws -> StateChange {
    StateChange(
      key: try StateKey(key), revision: revision, agent: try AgentID("alice"), timestamp: Timestamp(milliseconds: 1),
      type: .counter, content: content, siblings: nil)
  }

  private func live(_ revision: Revision, after: Revision, _ changes: StateChange...) throws -> ChangeBatch {
    ChangeBatch(
      after: after, cursor: Cursor(epoch: epoch, revision: revision), agent: try AgentID("alice"),
      timestamp: Timestamp(milliseconds: 1), changes: changes, isSnapshot: false, isFirst: true)
  }

  private func missed(
    _ revision: Revision, after: Revision, isSnapshot: Bool = false, _ changes: StateChange...
  ) throws -> ChangeBatch {
    ChangeBatch(
      after: after, cursor: Cursor(epoch: epoch, revision: revision), agent: nil, timestamp: nil, changes: changes,
      isSnapshot: isSnapshot, isFirst: true)
  }

  @Test("§5.4 a batch that the copy has already is skipped")
  func repeatedBatch() throws {
    var mirror = StateMirror()
    let batch = try live(1, after: 0, change("c", at: 1, .value(5)))
    let second = try live(2, after: 1, change("c", at: 2, .operations([.increment(1)])))
    for batch in [batch, batch, second, second, batch] { try mirror.apply(batch) }
    #expect(mirror.values == [try StateKey("c"): 6])
    #expect(mirror.revision == 2)
  }

  @Test("§5.4 a batch that begins after what the copy has is a gap, and changes nothing")
  func gap() throws {
    var mirror = StateMirror()
    try mirror.apply(try live(1, after: 0, change("c", at: 1, .value(5))))
    #expect(throws: StateMirror.Mismatch.gap(has: 1, begins: 2)) {
      try mirror.apply(try live(3, after: 2, change("c", at: 3, .operations([.increment(1)]))))
    }
    #expect(mirror.values == [try StateKey("c"): 5])
    #expect(mirror.revision == 1)
  }

  @Test("§5.4 what was missed since another place than where the copy ends is refused: its deltas would count twice")
  func overlap() throws {
    var mirror = StateMirror()
    try mirror.apply(try live(1, after: 0, change("c", at: 1, .value(5))))
    try mirror.apply(try live(2, after: 1, change("c", at: 2, .operations([.increment(1)]))))
    #expect(throws: StateMirror.Mismatch.gap(has: 2, begins: 1)) {
      try mirror.apply(try missed(3, after: 1, change("c", at: 3, .operations([.increment(2)]))))
    }
    #expect(mirror.values == [try StateKey("c"): 6])
  }

  @Test("§5.4 operations for another kind of value are refused, and name the key")
  func unfit() throws {
    var mirror = StateMirror()
    try mirror.apply(try live(1, after: 0, change("c", at: 1, .value("text"))))
    for operation in [.increment(1), .add(1), .put(field: "f", 1), .removeField("f")] as [StateOperation] {
      #expect(throws: StateMirror.Mismatch.unfit(try StateKey("c"))) {
        try mirror.apply(try live(2, after: 1, change("c", at: 2, .operations([operation]))))
      }
    }
    #expect(mirror.revision == 1)
    #expect(mirror.values == [try StateKey("c"): "text"])
  }

  @Test("§5.3 a snapshot replaces: keys that it does not name are gone")
  func snapshot() throws {
    var mirror = StateMirror()
    try mirror.apply(try live(1, after: 0, change("old", at: 1, .value(5)), change("c", at: 1, .value(5))))
    try mirror.apply(try missed(9, after: 0, isSnapshot: true, change("c", at: 9, .value(7))))
    #expect(mirror.values == [try StateKey("c"): 7])
    #expect(mirror.revision == 9)
  }

  @Test("operations of changes applied to values, type by type")
  func operationsOnValues() {
    func apply(_ operations: [StateOperation], to value: StateValue?) -> StateValue? {
      StateValue.applying(operations, to: value)
    }
    #expect(apply([.increment(.max), .increment(1)], to: 0) == nil)
    #expect(apply([.increment(.max), .increment(1)], to: -1) == .int(.max))
    #expect(apply([.increment(1)], to: nil) == 1)
    #expect(apply([.add(2), .add(1), .add(2), .remove(3)], to: [3]) == [1, 2])
    #expect(apply([.put(field: "b", 1), .put(field: "a", 2), .removeField("c")], to: ["c": 1]) == ["a": 2, "b": 1])
    #expect(apply([.assign(1), .assign(2)], to: "x") == 2)
    #expect(apply([], to: 5) == 5)
    #expect(apply([.increment(1), .add(1)], to: 0) == nil)
    #expect(apply([.share(1)], to: 0) == nil)
  }

  @Test("§5.3 §5.4 a batch of another epoch is a gap, however small its revision; only its snapshot replaces the copy")
  func otherEpoch() throws {
    var mirror = StateMirror()
    try mirror.apply(try live(5, after: 0, change("c", at: 5, .value(7))))
    let restored = Epoch(2)
    func batch(_ revision: Revision, isSnapshot: Bool, _ content: StateChange.Content) throws -> ChangeBatch {
      ChangeBatch(
        after: 3, cursor: Cursor(epoch: restored, revision: revision), agent: try AgentID("alice"),
        timestamp: isSnapshot ? nil : Timestamp(milliseconds: 1), changes: [try change("c", at: revision, content)],
        isSnapshot: isSnapshot, isFirst: true)
    }
    #expect(throws: StateMirror.Mismatch.gap(has: 5, begins: 3)) {
      try mirror.apply(try batch(4, isSnapshot: false, .operations([.increment(1)])))
    }
    #expect(mirror.values == [try StateKey("c"): 7])
    try mirror.apply(try batch(4, isSnapshot: true, .value(3)))
    #expect(mirror.values == [try StateKey("c"): 3])
    #expect(mirror.cursor == Cursor(epoch: restored, revision: 4))
  }
}
