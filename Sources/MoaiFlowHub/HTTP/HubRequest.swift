import Crypto
import HTTPTypes
import MoaiCRDT
import MoaiFlow
import NIOCore

/// A request as a route sees it: everything that comes from outside is checked on the way out of here.
struct HubRequest: Sendable {
  let method: HTTPRequest.Method
  /// As it came, percent-encoded.
  let path: String
  /// The segments that the route's template names, percent-encoded.
  let segments: [String: Substring]
  let query: QueryItems
  let headers: HTTPFields
  let caller: Caller
  let body: ByteBuffer

  /// Reads deeper than any value may be, so that the limits of the swarm answer.
  private static let jsonDepth = 160

  func segment(_ name: String) throws(Problem) -> String {
    guard let text = segments[name].flatMap({ PercentEncoding.decode($0) }) else {
      throw Problem(.badRequest, "malformed", "the path is not percent-encoded UTF-8")
    }
    return text
  }

  func name<Name>(_ segment: String, _ check: (String) throws(NameError) -> Name) throws(Problem) -> Name {
    let text = try self.segment(segment)
    do { return try check(text) } catch { throw .invalid("/\(segment)", error.problem) }
  }

  func stateKey() throws(Problem) -> StateKey { try name("state_key", StateKey.init) }

  // MARK: Body

  func json() throws(Problem) -> StateValue {
    if let type = headers[.contentType] {
      let essence = type.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
      guard essence == "application/json" else {
        throw Problem(
          .unsupportedMediaType, "unsupported_media_type", "\(type) is not taken; send Content-Type: application/json")
      }
    }
    let parser = JSONParser(limits: JSONLimits(bytes: max(body.readableBytes, 1), depth: HubRequest.jsonDepth))
    let parsed: Result<StateValue, JSONError> = body.withUnsafeReadableBytes { bytes in
      do throws(JSONError) { return .success(try parser.parse(bytes)) } catch { return .failure(error) }
    }
    switch parsed {
    case .success(let value): return value
    case .failure(let error): throw Problem(error)
    }
  }

  func object(
    allowing names: Set<UTF8String>, planned: Set<UTF8String> = []
  ) throws(Problem) -> WireObject {
    let json = try json()
    do { return try WireObject(json, at: .root, allowing: names, planned: planned) } catch { throw Problem(error) }
  }

  /// The object, or one without fields where there is no body.
  func optionalObject(allowing names: Set<UTF8String>) throws(Problem) -> WireObject {
    if body.readableBytes > 0 { return try object(allowing: names) }
    do { return try WireObject(.object(StateObject(ascending: [])), at: .root, allowing: []) } catch {
      throw Problem(error)
    }
  }

  // MARK: Author and retries

  /// Who writes: `agent_id` in the body, else whom the token stands for.
  func author(in body: WireObject) throws(Problem) -> Author {
    let named: AgentID?
    do {
      named = try body.name("agent_id") { text throws(NameError) in try AgentID(text) }
    } catch { throw Problem(error) }
    guard let author = try caller.author(named: named) else {
      throw .invalid("/agent_id", "the field is missing: a write needs an author")
    }
    return author
  }

  /// Who writes, where there is no body: the query's `agent_id`, else whom the token stands for.
  func authorInQuery() throws(Problem) -> Author {
    guard let author = try caller.author(named: try agentInQuery()) else {
      throw .invalid("/agent_id", "the query parameter is missing: a write needs an author")
    }
    return author
  }

  /// Who writes where nobody needs to be named: the operator, if nobody is.
  func authorOrOperator() throws(Problem) -> Author { try caller.author(orOperator: try agentInQuery()) }

  private func agentInQuery() throws(Problem) -> AgentID? {
    try query.name("agent_id") { text throws(NameError) in try AgentID(text) }
  }

  /// The command under which a retry finds the first answer again: from `Idempotency-Key`, in the scope of the agent.
  func commandID(of agent: AgentID) throws(Problem) -> CommandID? {
    guard let key = headers[.idempotencyKey] else { return nil }
    guard 1...256 ~= key.utf8.count else {
      throw .invalid("/Idempotency-Key", "has 1 to 256 bytes, this one \(key.utf8.count)")
    }
    var hash = SHA256()
    hash.update(data: Array(agent.name.string.utf8))
    hash.update(data: [0])
    hash.update(data: Array(key.utf8))
    let digest = Array(hash.finalize())
    func word(_ from: Int) -> UInt64 { digest[from..<from + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    return CommandID(high: word(0), low: word(8))
  }

  /// The method and path: the same key with another of them is another request.
  var form: String { "\(method.rawValue) \(path)" }

  // MARK: Freshness

  static let freshness: Set<String> = ["at_least", "wait_ms"]

  /// How long a read may wait for a revision at most, in milliseconds.
  private static let longestWait = 60_000

  func freshness() throws(Problem) -> Freshness? {
    let wait = try query.integer("wait_ms", in: 0...HubRequest.longestWait)
    guard let revision = try query.reference("at_least") else {
      if wait != nil { throw .invalid("/wait_ms", "goes with at_least") }
      return nil
    }
    return Freshness(atLeast: revision, within: .milliseconds(wait ?? 0))
  }

  /// "Not acceptable" (RFC 9110, section 12.4.2).
  private static let zeroWeights: Set<String> = ["q=0", "q=0.0", "q=0.00", "q=0.000"]

  var wantsEventStream: Bool {
    headers[.accept]?.lowercased().split(separator: ",").contains { range in
      let parts = range.split(separator: ";").map { $0.filter { $0 != " " } }
      return parts.first == "text/event-stream" && !parts.dropFirst().contains { HubRequest.zeroWeights.contains($0) }
    } ?? false
  }
}

extension HTTPField.Name {
  static let idempotencyKey = HTTPField.Name.known("Idempotency-Key")
  static let lastEventID = HTTPField.Name.known("Last-Event-ID")
  static let requestID = HTTPField.Name.known("X-Request-Id")

  private static func known(_ name: String) -> HTTPField.Name {
    guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is a field name") }
    return field
  }
}

extension Swarm {
  func join(as author: Author) async throws(SwarmError) -> SwarmMember {
    try await join(as: author.agent.description, via: author.via)
  }
}
