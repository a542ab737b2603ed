import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Bounds how long a request may take to arrive, and how much of one that was answered already is still read.
///
/// Requests that arrive in one piece cost no timer. The time for a request's head is bounded by the server itself.
final class SlowRequests: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// Why a request is not read to its end.
  struct TimedOut: Error {}

  private let limit: TimeAmount
  private let discardedBytes: Int
  private var isReading = false
  private var hasAnswer = false
  private var bytes = 0
  private var timer: Scheduled<Void>?

  /// - Parameters:
  ///   - limit: from a request's head to its end.
  ///   - discardedBytes: of a body that are still read after the answer.
  init(limit: TimeAmount, discardedBytes: Int) {
    self.limit = limit
    self.discardedBytes = discardedBytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      isReading = true
      hasAnswer = false
      bytes = 0
    case .body(let part):
      bytes += part.readableBytes
      if hasAnswer, bytes > discardedBytes { return context.close(promise: nil) }
    case .end:
      isReading = false
      timer?.cancel()
      timer = nil
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if isReading, timer == nil {
      timer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: limit) { self.end(context) }
    }
    context.fireChannelReadComplete()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .head(let head) = unwrapOutboundIn(data), head.status.kind != .informational { hasAnswer = true }
    context.write(data, promise: promise)
  }

  private func end(_ context: ChannelHandlerContext) {
    timer = nil
    guard isReading else { return }
    if hasAnswer { return context.close(promise: nil) }
    context.fireErrorCaught(TimedOut())
  }
}
