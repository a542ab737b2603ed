import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Sends a short answer in one piece. Its head, body and end come one by one, each with a wish to be sent at once, which
/// would be a system call and a packet for each.
///
/// Streams, and files that are long, go out part by part as they come. An answer that says that it is the connection's last
/// one is.
final class WholeAnswers: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = HTTPResponsePart

  /// Bytes of a body that may wait for its end.
  private static let longest = 65_536

  /// How long a client may still send after the last answer, so that it reads it before the connection breaks.
  private static let farewell = TimeAmount.seconds(1)

  private var isWaiting = false
  private var isLast = false
  private var hasEnded = false

  init() {}

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      let length = head.headerFields[.contentLength].flatMap { Int($0) }
      hasEnded = false
      isLast = head.headerFields[.connection]?.lowercased() == "close"
      isWaiting = head.status.kind != .informational && length.map { $0 <= WholeAnswers.longest } ?? false
    case .body: break
    case .end:
      isWaiting = false
      hasEnded = true
    }
    context.write(data, promise: promise)
  }

  func flush(context: ChannelHandlerContext) {
    guard !isWaiting else { return }
    context.flush()
    guard hasEnded, isLast else { return }
    isLast = false
    context.close(mode: .output, promise: nil)
    context.eventLoop.scheduleTask(in: WholeAnswers.farewell) { [channel = context.channel] in
      channel.close(promise: nil)
    }
  }
}
