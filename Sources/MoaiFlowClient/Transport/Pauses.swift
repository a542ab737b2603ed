/// The pauses between attempts: twice as long each time, up to a limit, each cut by chance ("full jitter": all clients of
/// a hub that restarts come back spread over the pause).
struct Pauses {
  private let longest: Duration
  private var current: Duration
  private let first: Duration

  init(_ options: HubClientOptions) {
    first = options.firstPause
    longest = options.longestPause
    current = first
  }

  mutating func next() -> Duration {
    defer { current = min(current * 2, longest) }
    return current * Double.random(in: 0.1...1)
  }

  /// An attempt got through.
  mutating func reset() {
    current = first
  }
}
