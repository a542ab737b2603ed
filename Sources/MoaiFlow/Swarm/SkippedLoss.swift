import MoaiCRDT

/// What is lost with an entry that is skipped (decision 0006).
package struct SkippedLoss: Sendable {
  package let revision: Revision
  /// Why the entry cannot be used.
  package let problem: String
  /// The bytes that are there; nil: none.
  package let payload: [UInt8]?
  /// What they read as, if they can be read at all. A damaged entry may read as something that nobody wrote.
  package let entry: Entry?
  /// The kept checkpoints that hold what the entry did, and go with it.
  package let checkpoints: [Revision]

  /// - Throws: ``SkipRefusal`` for an entry that can be read, or that only somebody else can read.
  package init(of revision: Revision, in journal: any Journal, evenIfIntact: Bool) async throws {
    self.revision = revision
    if let damaged = try await journal.damagedEntry(at: revision) {
      problem = damaged.problem
      payload = damaged.payload
      entry = damaged.payload.flatMap { try? Entry(decoding: $0) }
    } else {
      let stored = try await journal.read(after: revision - 1, entryLimit: 1, byteLimit: 1).first
      guard let stored, let problem = SkippedLoss.decodingProblem(stored.payload) else {
        throw SkipRefusal("entry \(revision) is intact and can be read, so it is not skipped")
      }
      guard evenIfIntact else {
        throw SkipRefusal(
          "entry \(revision) is stored as it was written, and this version cannot read it (\(problem)); a newer one may",
          mayBeForced: true)
      }
      self.problem = "it cannot be read: \(problem)"
      payload = stored.payload
      entry = nil
    }
    checkpoints = try await SkippedLoss.checkpoints(from: revision, in: journal)
  }

  /// Those that go with the entry. None while the end of the journal is missing: then the newest one says so, and stays
  /// until all that is missing is skipped.
  private static func checkpoints(
    from revision: Revision, in journal: any Journal
  ) async throws(JournalError) -> [Revision] {
    let floor = try await journal.horizon()
    do {
      return try await journal.checkpoints().map(\.revision).filter { $0 >= revision && $0 != floor }
    } catch {
      if case .corrupt = error { return [] }
      throw error
    }
  }

  private static func decodingProblem(_ payload: [UInt8]) -> String? {
    do {
      _ = try Entry(decoding: payload)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Puts an entry that changes nothing in the place of one that stops its swarm, which must not be open.
  ///
  /// - Throws: ``SkipRefusal``, or what the journal throws.
  package static func skip(
    _ revision: Revision, in journal: any Journal, because reason: String, evenIfIntact: Bool, id: CommandID
  ) async throws -> SkippedLoss {
    let loss = try await SkippedLoss(of: revision, in: journal, evenIfIntact: evenIfIntact)
    let entry = Entry(
      author: .operator, id: id, requestHash: 0, command: .journal(.skip(loss.skipped(because: reason))))
    try await journal.skip(revision, replacement: entry.encoded(), evenIfIntact: evenIfIntact)
    return loss
  }

  package func skipped(because reason: String) -> SkippedEntry {
    var hash = StableHash()
    if let payload { hash.combine(bytes: payload) }
    return SkippedEntry(hash: payload.map { _ in hash.finalize() }, reason: reason)
  }

  /// `{swarm, revision, skipped, problem, bytes?, reads_as?, checkpoints}`.
  package func json(swarm: SwarmName, isSkipped: Bool) -> StateValue {
    var fields = WireFields()
    fields.add("swarm", .string(swarm.name))
    fields.add("revision", integer: revision)
    fields.add("skipped", .bool(isSkipped))
    fields.add("problem", text: problem)
    if let payload { fields.add("bytes", integer: payload.count) }
    if let entry { fields.add("reads_as", text: "\(entry.author): \(entry.command.summary)") }
    fields.add("checkpoints", .array(checkpoints.map { .int($0) }))
    return fields.json
  }
}

/// Why an entry is not skipped.
package struct SkipRefusal: Error, Sendable, CustomStringConvertible {
  package let description: String
  /// Whether it is skipped for who says that it may be intact.
  package let mayBeForced: Bool

  init(_ description: String, mayBeForced: Bool = false) {
    self.description = description
    self.mayBeForced = mayBeForced
  }
}
