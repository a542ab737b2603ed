import HTTPTypes
import Hummingbird
import MoaiFlow
import NIOCore

/// The answer of a route.
struct HubResponse: Sendable {
  enum Body: Sendable {
    case json(StateValue)
    case text(String, type: String)
    /// Written as it comes, until the client leaves or the stream ends.
    case stream(ResponseBody)
    /// The bytes of a file, written as they are read.
    case file(ResponseBody, type: String)
    case none
  }

  var status: HTTPResponse.Status = .ok
  var headers: HTTPFields = [:]
  var body: Body

  static func json(_ value: StateValue, status: HTTPResponse.Status = .ok, entityTag: String? = nil) -> HubResponse {
    var response = HubResponse(status: status, body: .json(value))
    if let entityTag { response.headers[.eTag] = entityTag }
    return response
  }

  var response: Response {
    var headers = headers
    switch body {
    case .json(let value):
      headers[.contentType] = "application/json"
      return Response(status: status, headers: headers, body: .init(byteBuffer: HubResponse.buffer(value)))
    case .text(let text, let type):
      headers[.contentType] = type
      return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    case .stream(let body):
      headers[.contentType] = "text/event-stream"
      headers[.cacheControl] = "no-store"
      headers[.vary] = "Accept"
      return Response(status: status, headers: headers, body: body)
    case .file(let body, let type):
      headers[.contentType] = type
      return Response(status: status, headers: headers, body: body)
    case .none: return Response(status: status, headers: headers)
    }
  }

  private static func buffer(_ value: StateValue) -> ByteBuffer {
    var bytes = JSONWriter.bytes(value, style: .spaced)
    bytes.append(UInt8(ascii: "\n"))
    return ByteBuffer(bytes: bytes)
  }
}

extension Problem {
  var response: Response {
    var headers: HTTPFields = [.contentType: "application/problem+json"]
    if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
    if !allow.isEmpty { headers[.allow] = allow.map(\.rawValue).joined(separator: ", ") }
    if let challenge { headers[.wwwAuthenticate] = challenge }
    if closesConnection { headers[.connection] = "close" }
    return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body)))
  }

  /// The document, as it is sent.
  var body: [UInt8] { JSONWriter.bytes(json, style: .spaced) + [UInt8(ascii: "\n")] }
}
