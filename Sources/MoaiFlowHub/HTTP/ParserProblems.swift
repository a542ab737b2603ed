import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Gives a request that the HTTP parser refuses a problem document, like every other refusal; the server's own answer to it
/// has no body.
final class ParserProblems: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private var refusal: Problem?

  init() {}

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError { refusal = Problem(error) }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard let refusal, case .head(let head) = unwrapOutboundIn(data), head.status == .badRequest,
      head.headerFields[.contentType] == nil
    else { return context.write(data, promise: promise) }
    var bytes = context.channel.allocator.buffer(capacity: 256)
    bytes.writeBytes(refusal.body)
    var answer = HTTPResponse(status: refusal.status, headerFields: head.headerFields)
    answer.headerFields[.contentType] = "application/problem+json"
    answer.headerFields[.contentLength] = "\(bytes.readableBytes)"
    context.write(wrapOutboundOut(.head(answer)), promise: nil)
    context.write(wrapOutboundOut(.body(bytes)), promise: promise)
  }
}

extension Problem {
  fileprivate init(_ error: HTTPParserError) {
    switch error {
    case .headerOverflow:
      self.init(
        .requestHeaderFieldsTooLarge, "headers_too_large", "the request's headers are more, or longer, than taken")
    case .invalidMethod: self.init(.badRequest, "malformed", "the request's method is none of HTTP's")
    default: self.init(.badRequest, "malformed", "this is no HTTP request: \(error)")
    }
  }
}
