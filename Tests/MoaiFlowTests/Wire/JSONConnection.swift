import MoaiCRDT
import Testing

@testable import MoaiFlow

/// A connection on which everything goes as JSON text and comes back, as between a client and a hub; what comes back must
/// be what was sent.
struct JSONConnection: SwarmConnection {
  let swarm: Swarm

  func answer(_ query: Query) async throws(SwarmError) -> Answer {
    let answer = try await swarm.answer(query)
    let copy: Answer
    do { copy = try Self.copy(answer) } catch { throw .engine(.failed("\(query): \(error)")) }
    #expect(copy == answer, "\(query)")
    return copy
  }

  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await answer(query)
  }

  func perform(_ request: Request) async throws(SwarmError) -> Outcome {
    let outcome = try await swarm.perform(request)
    do {
      switch outcome.result {
      case .refused(let refusal):
        let copy = try Refusal(answer: Self.parse(refusal.json))
        #expect(copy == refusal)
        return Outcome(revision: outcome.revision, refused: copy)
      case .state(let state):
        var fields = WireFields()
        fields.add("revision", .int(outcome.revision))
        fields.add("keys", .array(state.keys.map(\.json)))
        if outcome.isRepeat { fields.add("repeated", true) }
        let copy = try Outcome(batch: Self.parse(fields.json))
        #expect(copy == outcome)
        return copy
      case .replica(let replica):
        let copy = try ReplicaOutcome(answer: Self.parse(replica.json))
        #expect(copy == replica)
        return outcome
      case .agent(let agent):
        #expect(try AgentOutcome(answer: Self.parse(agent.json)) == agent)
        return outcome
      case .settings, .journal: return outcome
      }
    } catch { throw .engine(.failed("\(error)")) }
  }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    var copies: [ReplicaDelta] = []
    for delta in deltas {
      do {
        let copy = try ReplicaDelta(json: JSONParser().parse(JSONWriter.text(delta.json)), at: .root)
        #expect(copy == delta && copy.hash == delta.hash)
        copies.append(copy)
      } catch { throw .engine(.failed("\(error)")) }
    }
    let outcomes = try await swarm.send(copies, as: author, via: via)
    for outcome in outcomes {
      guard case .replica(let result) = outcome.result else { continue }
      do { #expect(try ReplicaOutcome(answer: Self.parse(result.json)) == result) } catch {
        throw .engine(.failed("\(error)"))
      }
    }
    return outcomes
  }

  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    do {
      let copy = try Heartbeat(fields: Self.parse(heartbeat.fields.json))
      #expect(copy == heartbeat)
      let status = try await swarm.heartbeat(copy, of: agent)
      let read = try AgentStatus(answer: Self.parse(status.json))
      #expect(read == status)
      return read
    } catch let error as SwarmError {
      throw error
    } catch { throw .engine(.failed("\(error)")) }
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    do {
      let copy = try RewindRequest(fields: Self.parse(request.fields.json))
      #expect(copy == request)
      let report = try await swarm.rewind(copy, as: author, via: via, id: id, dryRun: dryRun)
      #expect(try RewindReport(answer: Self.parse(report.json)) == report)
      return report
    } catch let error as SwarmError {
      throw error
    } catch { throw .engine(.failed("\(error)")) }
  }

  func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    swarm.follow(since: since, matching: filter)
  }

  private static func parse(_ json: StateValue) throws -> WireObject {
    try WireObject(answer: JSONParser().parse(JSONWriter.text(json)))
  }

  private static func copy(_ answer: Answer) throws -> Answer {
    switch answer {
    case .value(let reading): .value(try reading.map { try StateReading(answer: parse($0.json)) })
    case .keys(let page): .keys(try KeyPage(answer: parse(page.json)))
    case .changes(let page):
      .changes(try ChangesPage(answer: parse(page.json(withOriginsAs: .delta))))
    case .settings(let settings, let revision):
      .settings(try SwarmSettings(answer: parse(settings.json)), revision: revision)
    case .status(let status): .status(try SwarmStatus(answer: parse(status.json(settings: SwarmSettings()))))
    case .history(let page): .history(try HistoryPage(answer: parse(page.json)))
    case .explanation(let explanation):
      .explanation(try explanation.map { try KeyExplanation(answer: parse($0.json)) })
    case .replica(let status): .replica(try status.map { try ReplicaStatus(answer: parse($0.json)) })
    case .agent(let status): .agent(try status.map { try AgentStatus(answer: parse($0.json)) })
    case .agents(let page): .agents(try AgentPage(answer: parse(page.json)))
    case .replicas(let statuses): .replicas(try statuses.map { try ReplicaStatus(answer: parse($0.json)) })
    }
  }
}
