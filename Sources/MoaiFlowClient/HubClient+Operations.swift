import Foundation
import MoaiCRDT
public import MoaiFlow

/// What an operator asks of a hub; with tokens, an admin.
extension HubClient {
  /// Entries of a swarm's log after a revision, as JSON, oldest first, and where the page after this one begins.
  public func log(
    of swarm: SwarmName, since: RevisionReference? = nil, limit: Int = 100
  ) async throws(SwarmError) -> (entries: [StateValue], next: RevisionReference?) {
    let answer = try await transport.read(
      HubCall(
        .get, ["v1", "swarms", swarm.description, "log"], query: [("since", since?.text), ("limit", "\(limit)")]))
    let entries = try answer.reading { try $0.required("entries").arrayValue ?? [] }
    return (entries, answer.fields.optional("next")?.stringValue.flatMap { RevisionReference($0) })
  }

  /// Hands the entries of a swarm's log over, first those after a revision, then as they come, until `body` wants no more.
  public func followLog(
    of swarm: SwarmName, since: RevisionReference? = nil, _ body: (StateValue) async -> Bool
  ) async throws(SwarmError) {
    var source = EventSource(
      transport: transport,
      call: HubCall(.get, ["v1", "swarms", swarm.description, "log"], query: [("since", since?.text)]))
    _ = try await source.run { event in
      guard event.name == "entry", let entry = try? JSONParser().parse(event.data) else { return true }
      return await body(entry)
    }
  }

  /// Saves a copy of all the hub's swarms as one file, which must not be there; returns its bytes. It appears when it is whole.
  public func backup(to path: String) async throws(SwarmError) -> Int64 {
    guard !FileManager.default.fileExists(atPath: path) else {
      throw .engine(.invalid("\(path) is there already; a backup replaces nothing"))
    }
    let draft = path + ".part"
    guard FileManager.default.createFile(atPath: draft, contents: nil), let file = FileHandle(forWritingAtPath: draft)
    else { throw .engine(.readOnly(draft)) }
    do {
      try await transport.download(HubCall(.post, ["v1", "backup"]), to: file)
      let bytes = Int64(try file.offset())
      try file.synchronize()
      try file.close()
      try FileManager.default.moveItem(atPath: draft, toPath: path)
      return bytes
    } catch {
      try? FileManager.default.removeItem(atPath: draft)
      throw error as? SwarmError ?? .engine(.failed("\(path): \(error)"))
    }
  }

  /// Makes a token: `{role, swarm?, agent?, covers?, note?, expires_in_ms?, requests_per_s?}`; the answer has its secret, as
  /// `token`, for the only time.
  public func createToken(_ grant: StateValue) async throws(SwarmError) -> StateValue {
    let answer = try await transport.once(HubCall(.post, ["v1", "tokens"], body: grant))
    return .object(answer.fields.object)
  }

  /// The tokens that the caller may revoke, without their secrets.
  public func tokens() async throws(SwarmError) -> [StateValue] {
    var tokens: [StateValue] = []
    var after: String?
    repeat {
      let answer = try await transport.read(
        HubCall(.get, ["v1", "tokens"], query: [("limit", "1000"), ("after", after)]))
      tokens += try answer.reading { try $0.required("tokens").arrayValue ?? [] }
      after = answer.fields.optional("next")?.stringValue
    } while after != nil
    return tokens
  }

  /// Ends a token and the streams that it opened; returns whether there was one.
  public func revokeToken(_ id: String) async throws(SwarmError) -> Bool {
    try await transport.find(HubCall(.delete, ["v1", "tokens"], query: [("id", id)])) != nil
  }
}
