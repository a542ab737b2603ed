import MoaiCRDT
import MoaiFlow

/// Passes over what changed, timed step by step: the question, its JSON, reading that, and putting it in place.
struct BenchPasses {
  private var answering: [Double] = []
  private var encoding: [Double] = []
  private var decoding: [Double] = []
  private var applying: [Double] = []
  private var bytes: [Double] = []

  /// Microseconds of a whole pass.
  var total: Double { answering.median + encoding.median + decoding.median + applying.median }

  /// A copy of everything that the swarm holds.
  static func mirror(of swarm: Swarm) async throws -> StateMirror {
    var mirror = StateMirror()
    var start = ChangesStart.beginning
    while mirror.cursor == nil {
      let page = try await swarm.state.changes(ChangesQuery(since: start))
      try mirror.apply(page)
      if let next = page.next { start = .page(next) }
    }
    return mirror
  }

  /// One pass from where the mirror stands.
  mutating func take(from swarm: Swarm, into mirror: inout StateMirror, changes expected: Int) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let page = try await swarm.state.changes(ChangesQuery(since: mirror.start))
    let answered = clock.now
    let json = JSONWriter.bytes(page.json(as: .delta))
    let encoded = clock.now
    let operations = try BenchPasses.operations(in: try JSONParser().parse(json))
    let decoded = clock.now
    try mirror.apply(page)
    let applied = clock.now
    try BenchFailure.check(page.changes.count, is: expected, "changes, keys in the page")
    try BenchFailure.check(operations.count, is: page.operations.count, "changes, operations read back")
    answering.append((answered - start).seconds * 1e6)
    encoding.append((encoded - answered).seconds * 1e6)
    decoding.append((decoded - encoded).seconds * 1e6)
    applying.append((applied - decoded).seconds * 1e6)
    bytes.append(Double(json.count))
  }

  /// Whether the copy holds what a new copy of everything holds.
  func check(_ mirror: StateMirror, of swarm: Swarm) async throws {
    let whole = try await BenchPasses.mirror(of: swarm)
    guard whole.values == mirror.values else { throw BenchFailure(reason: "changes: the copy differs from the swarm") }
  }

  /// - Parameter first: microseconds of a pass at the smallest size; nil: this is the smallest.
  func rows(_ what: String, first: Double?) -> [BenchRow] {
    [
      BenchRow("changes", "\(what): answer", "µs", answering.median),
      BenchRow("changes", "\(what): encode JSON", "µs", encoding.median),
      BenchRow("changes", "\(what): decode JSON", "µs", decoding.median),
      BenchRow("changes", "\(what): apply to a copy", "µs", applying.median),
      BenchRow("changes", "\(what): all", "µs", total),
      BenchRow("changes", "\(what): all, beside the smallest", "ratio", total / (first ?? total), target: "about 1"),
      BenchRow("changes", "\(what): JSON", "bytes", bytes.median),
    ]
  }

  private static func operations(in page: StateValue) throws -> [StateOperation] {
    guard case .array(let changes)? = page["changes"] else { return [] }
    return try changes.flatMap { change -> [StateOperation] in
      guard case .array(let operations)? = change["delta"]?["ops"] else { return [] }
      return try operations.map { try StateOperation(json: $0) }
    }
  }
}

extension ChangesPage {
  fileprivate var operations: [StateOperation] {
    changes.flatMap { change -> [StateOperation] in
      if case .operations(let operations) = change.content { operations } else { [] }
    }
  }
}
