import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let operatorRoutes: [Route] = [
    Route(
      .get, "\(swarm)/log", "Raw entries, with what each did; as a stream with Accept: text/event-stream",
      needs: .administer, query: ["since", "limit"]
    ) { request, hub in
      if request.wantsEventStream { return try await LogStream.open(for: request, hub) }
      let limit = try request.query.limit()
      let swarm = try await hub.swarm(of: request)
      var replay = try await hub.log(of: swarm, since: try request.query.reference("since"))
      var entries: [StateValue] = []
      var last: Revision?
      while entries.count < limit, let step = try await replay.next() {
        entries.append(step.summarized)
        last = step.stored.revision
      }
      let head = try await swarm.status().cursor
      let next = last.flatMap { $0 < head.revision ? Cursor(epoch: head.epoch, revision: $0) : nil }
      return .json([
        "entries": .array(entries), "next": next.map { StateValue($0.description) } ?? .null,
        "revision": .int(head.revision), "cursor": StateValue(head.description),
      ])
    },
    Route(.post, "/v1/backup", "A copy of all swarms as one file", needs: .administer) { request, hub in
      try request.caller.require(nil as SwarmName?)
      return try await BackupFile.make(hub)
    },
    Route(
      .post, "\(swarm)/skip", "Go on without an entry that cannot be read; what it did is lost", needs: .administer
    ) { request, hub in
      let body = try request.object(allowing: ["revision", "reason", "dry_run", "even_if_intact"])
      let revision = try body.integer("revision")
      guard revision > 0 else { throw Problem.invalid("/revision", "entries have revisions from 1 on") }
      let evenIfIntact = try body.flag("even_if_intact")
      let name = try request.name("swarm", SwarmName.init)
      if try body.flag("dry_run") {
        let loss = try await hub.swarms.loss(of: revision, of: name, evenIfIntact: evenIfIntact)
        return .json(loss.json(swarm: name, isSkipped: false))
      }
      let reason = try body.text("reason").string
      guard !reason.isEmpty else { throw Problem.invalid("/reason", "is empty; it stays in the log") }
      let loss = try await hub.swarms.skip(revision, of: name, because: reason, evenIfIntact: evenIfIntact)
      return .json(loss.json(swarm: name, isSkipped: true))
    },
  ]
}

extension JournalReplay.Step {
  /// The entry with a `summary` of what was asked, and what it `became`, for people.
  var summarized: StateValue {
    guard case .object(let object) = json else { return json }
    return .object(
      object.setting("summary", to: StateValue(entry.command.summary))
        .setting("became", to: StateValue(applied.outcome.summary)))
  }
}

extension HubContext {
  /// The entries of a swarm after a revision, each with what replay finds it to do.
  func log(of swarm: Swarm, since: RevisionReference?) async throws -> LogReader {
    let status = try await swarm.status()
    let revision: Revision?
    switch since {
    case nil: revision = nil
    case .revision(let number): revision = number
    case .cursor(let cursor):
      guard cursor.epoch == swarm.epoch else {
        throw SwarmError.trimmed("\(cursor) belongs to another epoch of this swarm; begin without since")
      }
      revision = cursor.revision
    }
    if let revision, revision > status.revision {
      throw SwarmError.futureRevision(revision, head: status.revision)
    }
    return try await LogReader(try await swarms.journal(of: swarm.name), after: revision)
  }
}

/// Entries of a journal, from the one after a revision on.
struct LogReader {
  private var replay: JournalReplay
  private let since: Revision

  init(_ journal: any Journal, after revision: Revision?) async throws {
    replay = try await JournalReplay(journal, after: revision)
    since = revision ?? 0
  }

  /// Nil at the end, where more may come.
  mutating func next() async throws(SwarmError) -> JournalReplay.Step? {
    while let step = try await replay.next() {
      if step.stored.revision > since { return step }
    }
    return nil
  }
}
