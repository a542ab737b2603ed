import HTTPTypes
import MoaiFlow

/// One operation of the interface: what the router, the 405 answers and the OpenAPI document are made from.
struct Route: Sendable {
  typealias Handler = @Sendable (HubRequest, HubContext) async throws -> HubResponse

  let method: HTTPRequest.Method
  /// Segments in braces are taken by name: `/v1/swarms/{swarm}/state/{state_key}`.
  let path: String
  /// In a few words, for the document.
  let summary: String
  let permission: Permission
  /// Query parameters that it takes.
  let query: Set<String>
  /// Whether it heeds `If-Match` and `If-None-Match`.
  let isConditional: Bool
  let handler: Handler
  /// Whether fields may come in a body.
  let takesBody: Bool
  /// The names of the segments that the path takes, in order.
  let segments: [String]

  init(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String, needs permission: Permission,
    query: Set<String> = [], isConditional: Bool = false,
    _ handler: @escaping Handler
  ) {
    self.method = method
    self.path = path
    self.summary = summary
    self.permission = permission
    self.query = query
    self.isConditional = isConditional
    self.handler = handler
    takesBody = OpenAPIBodies.hasBody(method, path)
    segments = path.split(separator: "/").compactMap {
      $0.hasPrefix("{") ? String($0.dropFirst().dropLast()) : nil
    }
  }

  /// Everything that the hub answers.
  static let all: [Route] =
    systemRoutes + tokenRoutes + operatorRoutes + swarmRoutes + stateRoutes + changesRoutes + historyRoutes
    + memoryRoutes + replicaRoutes + agentRoutes
    + syncRoutes + resolveRoutes

  /// Below one swarm.
  static let swarm = "/v1/swarms/{swarm}"
}
