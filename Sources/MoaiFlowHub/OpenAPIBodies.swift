import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// The bodies of requests for the OpenAPI document, field by field. A test sends each of these fields, and another one.
enum OpenAPIBodies {
  private typealias Field = OpenAPISchema.Field

  /// The schema of a route's body; nil: it takes none.
  static func schema(of route: Route) -> StateValue? {
    guard let fields = bodies["\(route.method.rawValue) \(route.path)"] else { return nil }
    return OpenAPISchema.closed(fields)
  }

  static func hasBody(_ method: HTTPRequest.Method, _ path: String) -> Bool {
    bodies["\(method.rawValue) \(path)"] != nil
  }

  /// Whether a request without a body is one, too.
  static func isOptional(_ route: Route) -> Bool {
    bodies["\(route.method.rawValue) \(route.path)"].map { !$0.contains(where: \.isRequired) } ?? true
  }

  private static let swarm = Route.swarm

  private static func text(_ name: String, of words: [String]? = nil) -> Field { OpenAPISchema.text(name, of: words) }
  private static func number(_ name: String) -> Field { OpenAPISchema.number(name) }
  private static func flag(_ name: String) -> Field { OpenAPISchema.flag(name) }
  private static func anything(_ name: String) -> Field { OpenAPISchema.anything(name) }
  private static func reference(_ name: String) -> Field { OpenAPISchema.reference(name) }
  private static func record(_ name: String) -> Field { OpenAPISchema.record(name, []) }
  private static func list(_ name: String, of element: StateValue = ["type": "object"]) -> Field {
    OpenAPISchema.list(name, of: element)
  }

  private static let bodies: [String: [Field]] = [
    "POST /v1/resolve": [
      text("strategy", of: ["lww", "vector", "crdt"]).required, text("state_key"), list("versions").required,
    ],
    "POST /v1/detect": [text("strategy", of: ["lww", "vector", "crdt"]), list("versions").required],
    "POST /v1/tokens": [
      text("role", of: Role.allCases.map(\.rawValue)).required, text("swarm"), text("agent"), text("covers"),
      text("note"), number("expires_in_ms"), number("requests_per_s"),
    ],
    "PUT \(swarm)": [list("policies"), record("limits"), record("retention")],
    "PUT \(swarm)/state/{state_key}": [
      anything("value"), crdtType, strategy, reference("base"), flag("replace"), number("share"),
      reference("if_revision"), agent,
    ],
    "POST \(swarm)/state/{state_key}/ops": [
      list("ops", of: operation).required, reference("base"), reference("if_revision"), crdtType, strategy, agent,
    ],
    "POST \(swarm)/state/{state_key}/sync": [number("timeout_ms"), number("quorum")],
    "POST \(swarm)/state/{state_key}/rights": [text("replica").required, number("amount"), number("up"), agent],
    "POST \(swarm)/batch": [list("writes", of: write).required, agent],
    "POST \(swarm)/rewind": [
      text("agent_id"), reference("since"), reference("revision"), list("keys", of: ["type": "string"]),
      flag("partial"), flag("dry_run"), text("author"),
    ],
    "POST \(swarm)/skip": [number("revision").required, text("reason"), flag("dry_run"), flag("even_if_intact")],
    "PUT \(swarm)/memory/{namespace}/{key}": [anything("value").required, agent],
    "POST \(swarm)/replicas/{replica}/deltas": [list("deltas", of: ["type": "object"]).required, agent],
    "POST \(swarm)/replicas/{replica}/announce": [number("n").required, agent],
    "POST \(swarm)/replicas/{replica}/resolve": [number("n").required, agent],
    "PUT \(swarm)/agents/{agent}": [
      list("capabilities", of: ["type": "string"]), number("weight"), number("capacity").orNull,
      number("heartbeat_interval_ms"), text("public_key"), record("metadata"), agent,
    ],
    "POST \(swarm)/agents/{agent}/heartbeat": [number("busy_for_ms"), anything("progress"), anything("status"), agent],
    "POST \(swarm)/sync/{request_id}/responses": [
      reference("base"), list("ops", of: operation), anything("value"), agent,
    ],
  ]

  private static let agent = text("agent_id")
  private static let crdtType = OpenAPISchema.crdtType
  private static let strategy = OpenAPISchema.strategy

  private static let operation: StateValue = OpenAPISchema.closed([
    text("op", of: ["increment", "add", "remove", "put", "remove_field", "assign"]).required, number("by"),
    anything("element"), text("field"), anything("value"),
  ])

  private static let write: StateValue = OpenAPISchema.closed([
    text("state_key").required, list("ops", of: operation), anything("value"), flag("delete"), number("share"),
    flag("replace"), reference("base"), reference("if_revision"), crdtType, strategy,
  ])
}
