import HTTPTypes
import Hummingbird
import Logging
import MoaiFlow
import NIOCore
import NIOHTTP1

/// Makes Hummingbird's router of the routes: every path answers 405 to the methods that it does not have, and every
/// failure is a problem document.
struct HubRouter {
  private static let methods: [HTTPRequest.Method] = [
    .get, .head, .put, .post, .delete, .patch, .options, .trace,
  ]

  let hub: HubContext

  func router() -> Router<BasicRequestContext> {
    let router = Router<BasicRequestContext>(options: .autoGenerateHeadEndpoints)
    if hub.configuration.traces { router.add(middleware: TracingMiddleware()) }
    router.add(middleware: MetricsMiddleware())
    router.add(middleware: RequestLog(logger: hub.logger))
    router.add(middleware: ProblemMiddleware(hub: hub))
    for (path, routes) in Dictionary(grouping: Route.all, by: \.path).sorted(by: { $0.key < $1.key }) {
      let known = routes.map(\.method) + (routes.contains { $0.method == .get } ? [.head] : [])
      for route in routes {
        router.on(RouterPath(path), method: route.method) { request, context in
          try await self.answer(request, context, route)
        }
      }
      for method in HubRouter.methods where !known.contains(method) {
        router.on(RouterPath(path), method: method) { _, _ -> Response in
          var problem = Problem(.methodNotAllowed, "method_not_allowed", "\(path) has no \(method.rawValue)")
          problem.allow = known
          throw problem
        }
      }
    }
    return router
  }

  private func answer(
    _ request: Request, _ context: BasicRequestContext, _ route: Route
  ) async throws -> Response {
    let caller = try hub.access.caller(of: request.headers, now: hub.now())
    try caller.require(route.permission)
    if route.method != .get, !route.isConditional { try refuseConditions(in: request.headers) }
    let body = try await collect(request.body)
    if body.readableBytes > 0, !route.takesBody {
      throw Problem(
        .unprocessableContent, "invalid",
        "\(route.method.rawValue) \(route.path) takes no body; fields go into the query")
    }
    var segments: [String: Substring] = [:]
    for name in route.segments { segments[name] = context.parameters[name[...]] }
    let parsed = HubRequest(
      method: request.method, path: request.uri.path, segments: segments,
      query: try QueryItems(request.uri.query, allowing: route.query), headers: request.headers, caller: caller,
      body: body)
    if route.segments.contains("swarm") {
      let swarm = try parsed.name("swarm", SwarmName.init)
      try caller.require(swarm)
      // What writes is a sign of life by itself.
      if route.method == .get, let agent = caller.token?.agent { await hub.swarms.open(swarm)?.hear(agent) }
    }
    return try await route.handler(parsed, hub).response
  }

  /// A condition that is not looked at would be taken for one that held.
  private func refuseConditions(in headers: HTTPFields) throws(Problem) {
    for name in [HTTPField.Name.ifMatch, .ifNoneMatch] where headers[name] != nil {
      throw Problem(.badRequest, "malformed", "\(name) means nothing to this request; leave it out")
    }
  }

  /// The whole body. One that is too long is read on for a while, so that its sender gets the answer.
  private func collect(_ body: RequestBody) async throws -> ByteBuffer {
    var collected = ByteBuffer()
    var count = 0
    for try await part in body {
      count += part.readableBytes
      if count <= hub.configuration.bodyBytes {
        if collected.readableBytes == 0 { collected = part } else { collected.writeImmutableBuffer(part) }
      } else if count > hub.configuration.discardedBytes {
        throw tooLong(closing: true)
      }
    }
    if count > hub.configuration.bodyBytes { throw tooLong(closing: false) }
    return collected
  }

  private func tooLong(closing: Bool) -> Problem {
    var problem = Problem(
      .contentTooLarge, "too_large", "the body has more than \(hub.configuration.bodyBytes) bytes")
    problem.closesConnection = closing
    return problem
  }
}

/// Refuses what no route should see, and turns what is thrown into a problem document.
struct ProblemMiddleware: RouterMiddleware {
  let hub: HubContext

  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    do {
      if hub.access.isOpen {
        try OriginGuard(hub.configuration).check(request.headers, authority: request.head.authority)
      }
      try checkSegments(of: request.uri.path)
      return try await next(request, context)
    } catch let problem as Problem {
      return problem.response
    } catch let error as SwarmError {
      return Problem(error).response
    } catch let error as JournalError {
      return Problem(error).response
    } catch let error as SkipRefusal {
      return Problem(.conflict, "not_damaged", error.description).response
    } catch let error as WireError {
      return Problem(error).response
    } catch let error as HTTPError where error.status == .notFound {
      return Problem(.notFound, "not_found", "there is no \(request.uri.path) here").response
    } catch let error as any HTTPResponseError {
      return Problem(error.status, "refused", "the request was not understood").response
    } catch is HTTPParserError {
      return Problem(.badRequest, "malformed", "the body is not what its headers say").response
    } catch is SlowRequests.TimedOut {
      var problem = Problem(
        .requestTimeout, "request_timeout", "the body took longer than \(hub.configuration.idleTimeout)")
      problem.closesConnection = true
      return problem.response
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      hub.logger.error(
        "a request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      return Problem(.internalServerError, "internal", "the hub failed to answer; its log says why").response
    }
  }

  /// The router takes `//` for `/`; here an empty segment is the name of nothing.
  private func checkSegments(of path: String) throws(Problem) {
    guard path.utf8.count > 1 else { return }
    let slash = UInt8(ascii: "/")
    var last: UInt8 = 0
    for byte in path.utf8 {
      if byte == slash, last == slash { throw emptySegment(path) }
      last = byte
    }
    if last == slash { throw emptySegment(path) }
  }

  private func emptySegment(_ path: String) -> Problem {
    Problem(.notFound, "not_found", "\(path) has an empty segment")
  }
}
