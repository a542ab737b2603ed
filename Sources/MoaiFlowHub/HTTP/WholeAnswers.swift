import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Sends a short answer in one piece. Its head, body and end come one by one, each with a wish to be sent at once, which
/// would be a system call and a packet for each.
///
/// Streams, and files that are long, go out part by part as they come.
final class WholeAnswers: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = HTTPResponsePart

  /// Bytes of a body that may wait for its end.
  private static let longest = 65_536

  private var isWaiting = false

  init() {}

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      let length = head.headerFields[.contentLength].flatMap { Int($0) }
      isWaiting = head.status.kind != .informational && length.map { $0 <= WholeAnswers.longest } ?? false
    case .body: break
    case .end: isWaiting = false
    }
    context.write(data, promise: promise)
  }

  func flush(context: ChannelHandlerContext) {
    if !isWaiting { context.flush() }
  }
}
