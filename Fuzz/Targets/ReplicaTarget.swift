import MoaiCRDT
import MoaiFlow

/// What offline replicas tell each other, and what their stores give back.
///
/// The first byte says what follows: a summary, an update, or the records of a store, of each its table, its id and its
/// bytes. What can be read is used: a replica answers it, takes it, shows everything and writes on.
package enum ReplicaTarget: FuzzTarget {
  package static let name = "replica"
  package static let words = EntryTarget.words

  private static let now: Int64 = 1_700_000_000_000

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    var parts = InputParts(input)
    switch parts.byte() % 3 {
    case 0: return answers(parts.part())
    case 1: return try takes(parts.part())
    default:
      var records: [StoredRecord] = []
      while !parts.isAtEnd {
        let table = parts.byte()
        let id = parts.part()
        records.append(StoredRecord(.init(table: table, id: id), parts.part()))
      }
      return try loads(records.sorted { $0.position < $1.position })
    }
  }

  private static func answers(_ summary: [UInt8]) -> Bool {
    (try? sample.alice.answer(summary)) != nil
  }

  private static func takes(_ update: [UInt8]) throws(Finding) -> Bool {
    guard let read = try? PeerUpdate(decoding: update) else { return false }
    guard let again = try? PeerUpdate(decoding: read.encoded()), again.encoded() == read.encoded() else {
      throw Finding("an update does not survive its bytes")
    }
    var replica = sample.bob
    guard (try? replica.take(update, now: now)) != nil else { return true }
    try use(&replica)
    return true
  }

  private static func loads(_ records: [StoredRecord]) throws(Finding) -> Bool {
    guard var replica = try? ReplicaRehearsal(records) else { return false }
    try use(&replica)
    return true
  }

  private static func use(_ replica: inout ReplicaRehearsal) throws(Finding) {
    let keys = replica.values.keys.sorted()
    for key in keys.prefix(8) + [sample.key] {
      for content in [
        .operations([.increment(1)]), .operations([.add("new")]), .operations([.removeField("a")]), .value(["a": 1]),
        .delete,
      ] as [WriteRequest.Content] {
        try? replica.perform(WriteRequest(key, content), now: now)
      }
    }
    _ = replica.values
    var other = sample.alice
    if let news = try? replica.answer(other.summary()) { try? other.take(news, now: now) }
    let records = replica.takeRecords()
    if records.contains(where: { $0.position.table == 0 && $0.position.id == [0] && $0.bytes == nil }) {
      throw Finding("a replica wants its head to go")
    }
  }

  // MARK: Seeds

  private struct Sample {
    var alice = ReplicaRehearsal(agent: "alice", id: ReplicaID(0xA))
    var bob = ReplicaRehearsal(agent: "bob", id: ReplicaID(0xB))
    let key: StateKey

    init() throws {
      key = try StateKey("m")
      for (number, content)
        in ([
          .operations([.put(field: "a", 1), .put(field: "b", "text")]), .operations([.removeField("a")]),
          .value(["c": [1.5, .null]]),
        ] as [WriteRequest.Content]).enumerated()
      {
        try alice.perform(WriteRequest(key, content), now: now + Int64(number))
      }
      try alice.perform(WriteRequest(try StateKey("s"), .operations([.add("x"), .add(2)])), now: now)
      try alice.perform(WriteRequest(try StateKey("c"), .operations([.increment(-4)])), now: now)
      try bob.perform(WriteRequest(try StateKey("r"), .value("mine")), now: now)
    }
  }

  private static let sample: Sample = {
    do { return try Sample() } catch { preconditionFailure("\(error)") }
  }()

  package static func seeds() async throws -> [[UInt8]] {
    var (alice, bob) = (sample.alice, sample.bob)
    var seeds: [[UInt8]] = [[0] + InputParts.part(bob.summary())]
    let news = try alice.answer(bob.summary())
    seeds.append([1] + InputParts.part(news))
    seeds.append([2] + bytes(of: alice.takeRecords()))
    try bob.take(news, now: now)
    seeds.append([0] + InputParts.part(bob.summary()))
    seeds.append([2] + bytes(of: bob.takeRecords()))
    let swarm = try await SampleSwarm()
    var online = ReplicaRehearsal(agent: "carol", id: ReplicaID(0xC))
    try online.take(swarm.pass, now: now)
    seeds.append([2] + bytes(of: online.takeRecords()))
    seeds.append([1] + InputParts.part(try online.answer(alice.summary())))
    return seeds
  }

  private static func bytes(of records: [StoredRecord]) -> [UInt8] {
    records.flatMap { record in
      record.bytes.map { [record.position.table] + InputParts.part(record.position.id) + InputParts.part($0) } ?? []
    }
  }
}
