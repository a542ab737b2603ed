public import MoaiFlow

/// How a hub runs. All numbers have defaults that suit a laptop.
public struct HubConfiguration: Sendable {
  /// Where it listens. Another address than loopback needs tokens.
  public var host = "127.0.0.1"
  /// 0: a free one.
  public var port = 8420
  /// Bytes of a request's body at most; more is 413. Raising it lets one request take more memory.
  public var bodyBytes = 4 << 20
  /// Bytes of a body that is too long that are read and thrown away, so that its sender gets the answer; beyond that the
  /// connection is closed.
  public var discardedBytes = 8 << 20
  /// Streams that are open at once at most; one more is answered 503.
  public var streams = 20_000
  /// How often a stream that has nothing to say says so, and how soon a filtered one tells its place.
  public var heartbeat = Duration.seconds(15)
  /// How long a connection may say nothing, or take for the head of a request, or for its body; streams that are open do
  /// not count. The largest body comes in time at 56 kB/s. Longer
  /// than clients keep a connection that they do not use (60 s is usual), so that they close it, and not the hub.
  public var idleTimeout = Duration.seconds(75)
  /// Bytes of all headers of a request, and headers, at most.
  public var headerBytes = 32 << 10
  public var headers = 100
  /// How long requests that are under way may take after the hub was told to end, and readers that do not read are waited
  /// for. Raising it makes one of those hold up a restart; a commit takes milliseconds.
  public var shutdownLimit = Duration.seconds(5)
  /// How much history stays of swarms whose settings keep all of it: they get this one as their own when they are opened or
  /// made. Without bounds they are left alone.
  public var retention = HistoryRetention()
  /// How often somebody looks whether a deadline has passed though nobody writes.
  public var tickInterval = Duration.seconds(1)
  /// Where tokens stand; they are needed once the file is there. Nil: there are none.
  public var tokens: TokenFile?
  /// Where a copy of the store stands while it is handed out; nil: the system's folder for temporary files.
  public var scratchFolder: String?
  /// Whose contents `/metrics` shows, if the process counts into it.
  public var metrics: MetricsRegistry?
  /// Whether each request is a span of swift-distributed-tracing. Costs a request some microseconds even where the process
  /// has no tracer.
  public var traces = false
  /// Requests a second that a token may make whose own rate was not given, on average over a second. A busy agent makes tens;
  /// raising it lets one that runs wild take more from the others.
  public var requestsPerSecond = 1_000
  /// Swarms that are open at once at most.
  public var swarms = 1_000

  public init() {}

  /// Whether nobody but this machine can reach it.
  var isLoopback: Bool { HubConfiguration.loopback.contains(host) || host.hasPrefix("127.") }

  private static let loopback: Set<String> = ["localhost", "::1", "127.0.0.1"]
}
