public import MoaiFlow

/// What every engine promises, as checks against fresh stores.
///
/// A new engine conforms by returning no violations:
///
///     let contract = JournalContract(makeStore: { … }, reopen: { store in … })
///     for violation in await contract.violations() { Issue.record("\(violation)") }
///
/// The checks take a second or two on a disk that syncs in 100 µs.
public struct JournalContract: Sendable {
  /// A promise that was not kept, and how that showed.
  public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// The promise, as the check is named.
    public let promise: String
    public let finding: String

    public var description: String { "\(promise): \(finding)" }
  }

  /// How much is done concurrently; less makes a race less likely to show.
  public struct Load: Sendable {
    public var writers: Int
    public var appendsPerWriter: Int

    public init(writers: Int = 16, appendsPerWriter: Int = 50) {
      self.writers = writers
      self.appendsPerWriter = appendsPerWriter
    }
  }

  let makeStore: @Sendable () async throws(JournalError) -> any JournalStore
  let reopen: @Sendable (any JournalStore) async throws(JournalError) -> any JournalStore
  let load: Load

  /// * `makeStore`: a new, empty store; it may hold the swarm `default`.
  /// * `reopen`: closes the store and opens one over the same journals, as the next process would.
  public init(
    load: Load = Load(),
    makeStore: @escaping @Sendable () async throws(JournalError) -> any JournalStore,
    reopen: @escaping @Sendable (any JournalStore) async throws(JournalError) -> any JournalStore
  ) {
    self.load = load
    self.makeStore = makeStore
    self.reopen = reopen
  }

  /// Everything that does not hold, in the order of the checks. An engine that conforms returns none.
  public func violations() async -> [Violation] {
    var found: [Violation] = []
    for check in Check.log + Check.checkpoint + Check.trim + Check.skip + Check.store + Check.restore {
      var findings = Findings()
      do {
        let store = try await makeStore()
        try await check.run(Bench(store: store, reopen: reopen, load: load), &findings)
        try await store.close()
      } catch {
        findings.add("unexpected error: \(error)")
      }
      found += findings.texts.map { Violation(promise: check.promise, finding: $0) }
    }
    return found
  }
}

/// One promise and how it is checked.
struct Check: Sendable {
  let promise: String
  let run: @Sendable (Bench, inout Findings) async throws(JournalError) -> Void

  init(
    _ promise: String, _ run: @escaping @Sendable (Bench, inout Findings) async throws(JournalError) -> Void
  ) {
    self.promise = promise
    self.run = run
  }
}

/// What a check works on: a fresh store.
struct Bench: Sendable {
  let store: any JournalStore
  let reopen: @Sendable (any JournalStore) async throws(JournalError) -> any JournalStore
  let load: JournalContract.Load

  func makeJournal(_ name: SwarmName = .contract) async throws(JournalError) -> any Journal {
    try await store.create(name)
  }
}

/// What a check found wrong.
struct Findings: Sendable {
  private(set) var texts: [String] = []

  /// A broken engine may have a lot to show; the beginning is enough.
  mutating func add(_ text: String) {
    texts.append(text.count > 300 ? text.prefix(300) + "…" : text)
  }

  mutating func expect(_ holds: Bool, _ text: @autoclosure () -> String) {
    if !holds { add(text()) }
  }

  mutating func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) {
    if found != expected { add("\(what) is \(found), not \(expected)") }
  }

  /// Whether `work` is refused with an error that `isExpected` accepts.
  mutating func expectError(
    _ what: String, _ isExpected: (JournalError) -> Bool, _ work: () async throws(JournalError) -> Void
  ) async {
    do {
      try await work()
      add("\(what) was accepted")
    } catch {
      if !isExpected(error) { add("\(what) was refused with: \(error)") }
    }
  }
}

extension SwarmName {
  static let contract = SwarmName(literal: "contract")
  static let other = SwarmName(literal: "contract-other")

  private init(literal: String) {
    do {
      self = try SwarmName(literal)
    } catch {
      fatalError("\(error)")
    }
  }
}

extension Journal {
  /// Appends all of them, however the engine cuts the batch; returns their revisions.
  func appendAll(_ payloads: [[UInt8]]) async throws(JournalError) -> [Revision] {
    var revisions: [Revision] = []
    while revisions.count < payloads.count {
      let appended = try await append(Array(payloads[revisions.count...]))
      guard appended.count > 0 else { throw .invalid("an append took \(appended.count) entries") }
      for offset in 0..<appended.count { revisions.append(appended.firstRevision + Revision(offset)) }
    }
    return revisions
  }

  /// Everything after `revision`, page by page.
  func readAll(
    after revision: Revision = 0, entryLimit: Int = 1_000, byteLimit: Int = 1 << 20
  ) async throws(JournalError) -> [JournalEntry] {
    var entries: [JournalEntry] = []
    while true {
      let page = try await read(after: entries.last?.revision ?? revision, entryLimit: entryLimit, byteLimit: byteLimit)
      guard let first = page.first else { return entries }
      // An engine that serves the same page again would be read for ever.
      guard first.revision > entries.last?.revision ?? revision else {
        throw .failed("revision \(first.revision) was read after \(entries.last?.revision ?? revision)")
      }
      entries += page
    }
  }
}
