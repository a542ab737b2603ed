import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let stateRoutes: [Route] = [
    Route(
      .get, "\(swarm)/state", "List keys", needs: .read,
      query: HubRequest.freshness.union(["prefix", "include", "limit", "after"])
    ) { request, hub in
      let includesValues = request.query["include"].map { $0 == "value" }
      guard includesValues != false else { throw Problem.invalid("/include", "must be value") }
      let query = Query.keys(
        KeyFilter(prefix: request.query["prefix"] ?? ""), after: try request.query.name("after", StateKey.init),
        limit: try request.query.limit(), includingValues: includesValues ?? false)
      guard case .keys(let page) = try await hub.answer(query, of: hub.swarm(of: request), to: request) else {
        throw Problem.mismatch
      }
      return .json(page.json)
    },
    Route(
      .get, "\(swarm)/state/{state_key}", "Read a key, now or at a revision", needs: .read,
      query: HubRequest.freshness.union(["at"])
    ) { request, hub in
      let key = try request.stateKey()
      let at = try request.query.reference("at")
      let swarm = try await hub.swarm(of: request)
      guard case .value(let reading) = try await hub.answer(.value(key, at: at), of: swarm, to: request) else {
        throw Problem.mismatch
      }
      guard let reading else { throw Problem.unknownKey(key) }
      let tag = EntityTag.text(reading.revision, reading.cursor.epoch)
      if at == nil, let known = request.headers[.ifNoneMatch], EntityTag.matches(known, tag) {
        return HubResponse(status: .notModified, headers: [.eTag: tag], body: .none)
      }
      return .json(reading.json, entityTag: at == nil ? tag : nil)
    },
    Route(.put, "\(swarm)/state/{state_key}", "Write a whole value", needs: .write, isConditional: true) {
      request, hub in
      let key = try request.stateKey()
      return try await StateWrite(request, hub).perform(WriteRequest.valueFields) { fields throws(WireError) in
        try WriteRequest(value: fields, of: key)
      }
    },
    Route(
      .post, "\(swarm)/state/{state_key}/ops", "Change a value by operations", needs: .write, isConditional: true
    ) { request, hub in
      let key = try request.stateKey()
      return try await StateWrite(request, hub).perform(WriteRequest.operationFields) { fields throws(WireError) in
        try WriteRequest(operations: fields, of: key)
      }
    },
    Route(
      .delete, "\(swarm)/state/{state_key}", "Delete a key", needs: .write, query: ["agent_id", "base", "if_revision"],
      isConditional: true
    ) { request, hub in
      let key = try request.stateKey()
      let write = WriteRequest(
        key, .delete, base: try request.query.reference("base"),
        ifRevision: try EntityTag.condition(request.headers, and: try request.query.reference("if_revision")))
      return try await StateWrite(request, hub).delete(write)
    },
    Route(.post, "\(swarm)/batch", "Write several keys in one entry", needs: .write, isConditional: true) {
      request, hub in
      try await StateWrite(request, hub).batch()
    },
  ]
}

/// A write of state, from the request to the answer.
struct StateWrite {
  private let request: HubRequest
  private let hub: HubContext

  init(_ request: HubRequest, _ hub: HubContext) {
    self.request = request
    self.hub = hub
  }

  /// Writes one key: the new version, and whom it overwrote; 201 if the key came into being. Where nothing was taken from
  /// nothing there is no version: its revision is 0, its value null.
  func perform(
    _ names: Set<UTF8String>, _ parse: (WireObject) throws(WireError) -> WriteRequest
  ) async throws -> HubResponse {
    let body = try request.object(allowing: names.union(["agent_id"]), planned: WriteRequest.plannedFields)
    let author = try request.author(in: body)
    let parsed = try parse(body)
    let write = parsed.with(condition: try EntityTag.condition(request.headers, and: parsed.ifRevision))
    let swarm = try await hub.swarm(of: request)
    let (outcome, results) = try await perform([write], of: author, in: swarm)
    let result = results[0]
    let reading = try await reading(of: result, outcome, in: swarm)
    return .json(
      result.json(reading: reading, cursor: Cursor(epoch: swarm.epoch, revision: outcome.revision)),
      status: result.isCreation ? .created : .ok,
      entityTag: EntityTag.text(result.revision, swarm.epoch))
  }

  func delete(_ write: WriteRequest) async throws -> HubResponse {
    let author = try request.authorInQuery()
    let swarm = try await hub.swarm(of: request)
    let (outcome, results) = try await perform([write], of: author, in: swarm)
    guard results[0].changed || results[0].revision > 0 else { throw Problem.unknownKey(write.key) }
    let cursor = Cursor(epoch: swarm.epoch, revision: outcome.revision)
    return .json(["revision": .int(outcome.revision), "cursor": StateValue(cursor.description)])
  }

  func batch() async throws -> HubResponse {
    let body = try request.object(allowing: ["writes", "agent_id"], planned: WriteRequest.plannedFields)
    let author = try request.author(in: body)
    guard try EntityTag.condition(request.headers) == nil else {
      throw Problem(.badRequest, "malformed", "a batch has no tag; give each write its if_revision")
    }
    var writes: [WriteRequest] = []
    for (json, place) in try body.elements("writes") ?? [] { writes.append(try WriteRequest(json: json, at: place)) }
    let swarm = try await hub.swarm(of: request)
    let (outcome, results) = try await perform(writes, of: author, in: swarm)
    var fields = WireFields()
    fields.add("revision", .int(outcome.revision))
    fields.add("cursor", text: Cursor(epoch: swarm.epoch, revision: outcome.revision).description)
    fields.add("keys", .array(results.map(\.json)))
    if outcome.isRepeat { fields.add("repeated", true) }
    return .json(fields.json, status: results.contains(where: \.isCreation) ? .created : .ok)
  }

  private func perform(
    _ writes: [WriteRequest], of author: Author, in swarm: Swarm
  ) async throws -> (Outcome, [KeyResult]) {
    // A tag of another epoch names a version that is gone, and not a place to read from.
    for write in writes {
      guard case .cursor(let cursor)? = write.ifRevision, cursor.epoch != swarm.epoch else { continue }
      let current = try await swarm.state.read(write.key.name.string)?.revision ?? 0
      throw Problem(.state(.conditionFailed(write.key, current: current)))
    }
    let outcome = try await swarm.perform(
      Request(
        author: author.agent, via: author.via, id: try request.commandID(of: author.agent), form: request.form,
        body: .write(writes)))
    switch outcome.result {
    case .state(let state): return (outcome, state.keys)
    case .refused(let refusal): throw Problem(refusal)
    default: throw Problem.mismatch
    }
  }

  /// The key as the write left it: of a repeated request as it left it the first time, if that can still be read.
  private func reading(of result: KeyResult, _ outcome: Outcome, in swarm: Swarm) async throws -> StateReading? {
    let past: RevisionReference? = outcome.isRepeat ? .revision(outcome.revision) : nil
    do {
      guard case .value(let reading) = try await swarm.answer(.value(result.key, at: past)) else { return nil }
      return reading
    } catch {
      guard outcome.isRepeat else { throw error }
      return nil
    }
  }
}

extension Problem {
  static let mismatch = Problem(.internalServerError, "internal", "the swarm answered something else")

  static func unknownKey(_ key: StateKey) -> Problem {
    Problem(.notFound, "unknown_key", "there is no key \(key)")
  }
}
