import ArgumentParser
import MoaiFlow

/// What all writing commands have in common.
struct WriteOptions: ParsableArguments {
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  /// Writes one key as the agent and prints the key as it is then.
  func write(_ key: String, _ makeRequest: (StateKey) throws -> WriteRequest) async throws {
    let (outcome, result, reading) = try await perform(key, makeRequest)
    let cursor = reading.cursor
    if output.json { return try output.write(result.json(reading: reading.value, cursor: cursor)) }
    if let value = reading.value { try value.write(output) }
    if !result.changed { Terminal.note("\(key): nothing changed") }
    for lost in result.overwrote where outcome.revision > 0 {
      Terminal.note("\(key): overwrote what \(lost.agent) wrote at revision \(lost.revision)")
    }
  }

  /// Writes one key as the agent; a refusal is a ``Failure``.
  func perform(
    _ key: String, _ makeRequest: (StateKey) throws -> WriteRequest
  ) async throws -> (outcome: Outcome, result: KeyResult, after: (value: StateReading?, cursor: Cursor)) {
    let agent = try target.requiredAgentName()
    let name: StateKey
    do { name = try StateKey(key) } catch { throw Failure(.usage, "/state_key: \(error.problem)") }
    let request = try makeRequest(name)
    return try await target.writingSwarm { swarm in
      let outcome = try await swarm.perform(Request(author: agent, body: .write([request])))
      switch outcome.result {
      case .refused(let refusal): throw SwarmError.refused(refusal)
      case .state(let state):
        let reading = try await swarm.state.read(key)
        let epoch = if let reading { reading.cursor.epoch } else { try await swarm.status().epoch }
        return (outcome, state.keys[0], (reading, Cursor(epoch: epoch, revision: outcome.revision)))
      default: preconditionFailure("a write is answered as a write")
      }
    }
  }
}
