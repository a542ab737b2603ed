import HTTPTypes
import Hummingbird
import Logging

/// Gives every request an id, its own or the sender's, and logs how it was answered; never what it carried.
struct RequestLog: RouterMiddleware {
  let logger: Logger

  func handle(
    _ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let id = RequestLog.id(in: request.headers) ?? context.id
    let isLogged = logger.logLevel <= .info
    let start = isLogged ? ContinuousClock.now : nil
    var response = try await next(request, context)
    response.headers[.requestID] = id
    if let start {
      logger.info(
        "answered",
        metadata: [
          "request_id": "\(id)", "method": "\(request.method)", "route": "\(context.endpointPath ?? "none")",
          "status": "\(response.status.code)", "ms": "\((ContinuousClock.now - start).milliseconds)",
        ])
    }
    return response
  }

  /// What the sender calls the request, if that can stand in a log.
  private static func id(in headers: HTTPFields) -> String? {
    guard let id = headers[.requestID], 1...64 ~= id.utf8.count else { return nil }
    let isPlain = id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    return isPlain ? id : nil
  }
}
