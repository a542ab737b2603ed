import MoaiCRDT
import MoaiFlow

/// What a hub answers, as a client reads it: readings, lists, changes, histories, explanations, reports, status.
///
/// An answer that is read is written so that it is read again, as the same.
package enum AnswerTarget: FuzzTarget {
  package static let name = "answer"
  package static let words = [
    "\"state_key\":", "\"crdt_type\":", "\"strategy\":", "\"version\":", "\"revision\":", "\"timestamp\":",
    "\"logical\":", "\"agent_id\":", "\"cursor\":", "\"siblings\":", "\"keys\":", "\"changes\":", "\"delta\":",
    "\"replace\":", "\"deleted\":", "\"next\":", "\"snapshot\":", "\"parts\":", "\"shown\":", "\"blocked\":",
    "\"dependents\":", "\"replica\":", "\"rights\":", "\"kept\":", "\"missing\":", "\"responders\":", "\"refusal\":",
    "\"incarnation\":", "\"health\":", "\"capabilities\":", "\"failed_at\":", "\"capacity\":", "\"suspicion\":",
  ]

  private typealias Reading = @Sendable (WireObject) throws -> StateValue

  private static let kinds: [(name: String, read: Reading)] = [
    ("reading", { try StateReading(answer: $0).json }), ("keys", { try KeyPage(answer: $0).json }),
    ("changes", { try ChangesPage(answer: $0).json(withOriginsAs: .delta) }),
    ("history", { try HistoryPage(answer: $0).json }),
    ("explanation", { try KeyExplanation(answer: $0).json }), ("rewind", { try RewindReport(answer: $0).json }),
    ("replica", { try ReplicaStatus(answer: $0).json }), ("sync", { try SyncReport(answer: $0).json }),
    ("agent", { try AgentStatus(answer: $0).json }), ("agents", { try AgentPage(answer: $0).json }),
    ("event", { try AgentEvent(answer: $0).json }), ("health", { try HealthReport(answer: $0).json }),
    ("status", { try SwarmStatus(answer: $0).json(settings: SwarmSettings()) }),
  ]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    guard let json = try? JSONParser().parse(input), let fields = try? WireObject(answer: json) else { return false }
    _ = try? Refusal(answer: fields)
    _ = try? Outcome(batch: fields)
    var isSomething = false
    for (name, read) in kinds {
      guard let written = try? read(fields) else { continue }
      isSomething = true
      let again = (try? WireObject(answer: written)).flatMap { try? read($0) }
      try Finding.unless(again == written, "\(name): \(written) is read as \(again.map { "\($0)" } ?? "nothing")")
    }
    return isSomething
  }

  package static func seeds() async throws -> [[UInt8]] {
    try await SampleSwarm().answers.map { JSONWriter.bytes($0) }
  }
}
