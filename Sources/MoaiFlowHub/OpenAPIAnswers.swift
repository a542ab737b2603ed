import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// What each operation answers when all goes well, for the OpenAPI document. Every test that asks a hub holds its answers
/// against this.
enum OpenAPIAnswers {
  private typealias Field = OpenAPISchema.Field

  private struct Answer {
    var statuses = [200]
    /// Of the JSON; nil: there is none.
    var fields: [Field]?
    /// Other types that the answer may have, by what was asked for.
    var types: [String] = []
  }

  /// The `responses` of an operation, problems included.
  static func responses(of route: Route, problem: StateValue) -> StateValue {
    let answer = answers["\(route.method.rawValue) \(route.path)"] ?? Answer(fields: [])
    var contents = WireFields()
    if let fields = answer.fields { contents.add("application/json", ["schema": OpenAPISchema.open(fields)]) }
    for type in answer.types { contents.add(UTF8String(type), ["schema": ["type": "string"]]) }
    var responses = WireFields()
    for status in answer.statuses {
      let body = HTTPResponse.Status(code: status).reasonPhrase
      responses.add(
        UTF8String("\(status)"),
        status == 304 ? ["description": StateValue(body)] : ["description": StateValue(body), "content": contents.json])
    }
    responses.add("default", ["description": "a problem", "content": problem])
    return responses.json
  }

  private static let swarm = Route.swarm

  private static func text(_ name: String, of words: [String]? = nil) -> Field { OpenAPISchema.text(name, of: words) }
  private static func number(_ name: String) -> Field { OpenAPISchema.number(name) }
  private static func flag(_ name: String) -> Field { OpenAPISchema.flag(name) }
  private static func anything(_ name: String) -> Field { OpenAPISchema.anything(name) }
  private static func record(_ name: String, _ fields: [Field] = []) -> Field { OpenAPISchema.record(name, fields) }
  private static func list(_ name: String, _ fields: [Field] = []) -> Field { OpenAPISchema.list(name, fields) }
  private static func texts(_ name: String) -> Field { OpenAPISchema.list(name, of: ["type": "string"]) }

  private static let answers: [String: Answer] = {
    let next = text("next").orNull.required
    let revision = number("revision").required
    let cursor = text("cursor").required
    let agent = text("agent_id").required
    let timestamp = text("timestamp").required
    let key = text("state_key").required
    let type = OpenAPISchema.crdtType.required
    let version = number("version").required
    let overwrote = list("overwrote", [agent, revision])
    let reading = [
      key, anything("value").required, type, OpenAPISchema.strategy.required, version, revision, cursor, timestamp,
      agent,
      anything("siblings"),
    ]
    let written = [
      key, anything("value"), OpenAPISchema.crdtType.orNull, version, revision, cursor, overwrote.required,
    ]
    let status = [
      text("swarm").required, text("epoch").required, revision, cursor, number("horizon").required,
      number("keys").required,
    ]
    let token = [
      text("id").required, text("role", of: Role.allCases.map(\.rawValue)).required, text("created_at").required,
    ]
    let entry = [
      text("namespace").required, text("key").required, anything("value").required, flag("persistent").required, agent,
      number("revision"), text("timestamp"),
    ]
    let change = [
      key, revision, agent, timestamp, type, anything("value"), record("delta"), flag("deleted"), anything("siblings"),
    ]
    let member = [
      agent, number("incarnation").required, revision,
      text("health", of: AgentHealth.allCases.map(\.rawValue)).required,
      flag("stuck").required, text("last_seen").orNull.required, text("registered_at").required,
      texts("capabilities").required, number("weight").required, number("capacity").orNull.required,
      number("heartbeat_interval_ms").required, record("metadata").required, text("public_key"), text("failed_at"),
      number("silence_ms").orNull.required, anything("progress"), anything("status"),
    ]
    let right = [number("down").required, number("up").required]
    let replica = [
      text("replica").required, agent, number("accepted_to").required, text("hash").required, flag("closed").required,
      text("last_seen").required, list("refused").required, record("rights").required,
    ]
    return [
      "GET /healthz": Answer(fields: [text("status").required, text("id").required]),
      "GET /readyz": Answer(fields: [
        text("status").required, text("durability").required, number("lag").required, number("streams").required,
        list("swarms", [text("swarm").required, text("epoch").required, revision]).required,
        texts("failed").required,
      ]),
      "GET /metrics": Answer(types: ["text/plain"]),
      "GET /openapi.json": Answer(fields: [text("openapi").required, record("paths").required]),
      "GET /v1/tokens": Answer(fields: [list("tokens", token).required, next]),
      "POST /v1/tokens": Answer(statuses: [201], fields: token + [text("token").required]),
      "DELETE /v1/tokens": Answer(fields: [flag("revoked").required]),
      "POST /v1/resolve": Answer(fields: [
        key, anything("value").required, version, timestamp, agent, record("metadata"),
      ]),
      "POST /v1/detect": Answer(fields: [texts("conflicts").required]),
      "POST /v1/backup": Answer(types: ["application/vnd.sqlite3"]),
      "GET /v1/swarms": Answer(fields: [list("swarms", [text("swarm").required]).required, next]),
      "PUT \(swarm)": Answer(statuses: [200, 201], fields: status),
      "GET \(swarm)": Answer(fields: status),
      "DELETE \(swarm)": Answer(fields: [flag("deleted").required]),
      "GET \(swarm)/log": Answer(
        fields: [list("entries", [revision, agent]).required, next, revision, cursor], types: ["text/event-stream"]),
      "POST \(swarm)/skip": Answer(fields: [text("swarm").required, number("revision").required]),
      "GET \(swarm)/state": Answer(fields: [
        list("keys", [key, type, revision, version, agent, timestamp, anything("value")]).required, next, revision,
        cursor,
      ]),
      "GET \(swarm)/state/{state_key}": Answer(statuses: [200, 304], fields: reading),
      "PUT \(swarm)/state/{state_key}": Answer(statuses: [200, 201], fields: written),
      "POST \(swarm)/state/{state_key}/ops": Answer(statuses: [200, 201], fields: written),
      "DELETE \(swarm)/state/{state_key}": Answer(fields: [revision, cursor]),
      "POST \(swarm)/batch": Answer(
        statuses: [200, 201],
        fields: [
          revision, cursor,
          list("keys", [key, revision, version, flag("changed").required, overwrote.required]).required,
          flag("repeated"),
        ]),
      "GET \(swarm)/changes": Answer(
        fields: [
          list("changes", change).required, number("head").required, flag("more").required, text("next"),
          number("revision"), text("cursor"), flag("snapshot").required,
        ], types: ["text/event-stream"]),
      "GET \(swarm)/state/{state_key}/history": Answer(fields: [
        key, list("changes", [revision, agent, timestamp, type, version]).required, next, number("horizon").required,
        revision,
      ]),
      "GET \(swarm)/state/{state_key}/explain": Answer(fields: [
        key, type, number("revision"), record("reading"), list("parts").required, number("part_count").required,
        list("shares").required, number("horizon").required,
      ]),
      "POST \(swarm)/rewind": Answer(fields: [
        number("revision").orNull.required, number("planned_at").required, list("changes", [key, type]).required,
        list("blocked", [key, text("code").required]).required, list("dependents", [revision, agent, key]).required,
        number("dependent_count").required,
      ]),
      "GET \(swarm)/memory": Answer(fields: [list("namespaces", [text("namespace").required]).required, next, revision]
      ),
      "GET \(swarm)/memory/{namespace}": Answer(fields: [list("entries", entry).required, next, revision]),
      "DELETE \(swarm)/memory/{namespace}": Answer(fields: [number("deleted").required]),
      "GET \(swarm)/memory/{namespace}/{key}": Answer(fields: entry),
      "PUT \(swarm)/memory/{namespace}/{key}": Answer(statuses: [200, 201], fields: entry),
      "DELETE \(swarm)/memory/{namespace}/{key}": Answer(fields: [flag("deleted").required]),
      "GET \(swarm)/replicas": Answer(fields: [list("replicas", replica).required, next, revision]),
      "GET \(swarm)/replicas/{replica}": Answer(fields: replica),
      "DELETE \(swarm)/replicas/{replica}": Answer(fields: [flag("closed").required]),
      "POST \(swarm)/replicas/{replica}/deltas": Answer(fields: [
        number("accepted_to").required,
        list("refused", [number("n").required, revision, text("code").required, text("detail").required]).required,
        list("outcomes").required,
      ]),
      "POST \(swarm)/replicas/{replica}/announce": Answer(fields: [flag("announced").required]),
      "POST \(swarm)/replicas/{replica}/resolve": Answer(fields: [flag("resolved").required]),
      "POST \(swarm)/state/{state_key}/rights": Answer(fields: [record("reserved", right).required]),
      "GET \(swarm)/agents": Answer(fields: [list("agents", member).required, next, revision]),
      "GET \(swarm)/agents/{agent}": Answer(fields: member),
      "PUT \(swarm)/agents/{agent}": Answer(statuses: [200, 201], fields: member),
      "DELETE \(swarm)/agents/{agent}": Answer(fields: [flag("unregistered").required]),
      "POST \(swarm)/agents/{agent}/heartbeat": Answer(fields: member),
      "GET \(swarm)/agents/{agent}/events": Answer(types: ["text/event-stream"]),
      "POST \(swarm)/state/{state_key}/sync": Answer(fields: [
        key, texts("responders").required, list("missing", [agent]).required, number("revision").required,
      ]),
      "POST \(swarm)/sync/{request_id}/responses": Answer(
        statuses: [200, 202], fields: [flag("accepted"), flag("joined")]),
    ]
  }()
}
