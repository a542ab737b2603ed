/// How many requests a second somebody may make: a bucket that fills steadily, and holds one second's worth.
struct RequestRate: Sendable {
  private let perSecond: Double
  private var stored: Double
  /// Milliseconds since 1970.
  private var since: Int64

  init(perSecond: Int, now: Int64) {
    self.perSecond = Double(perSecond)
    stored = Double(perSecond)
    since = now
  }

  /// Takes one request; or says after how many whole seconds the next one may come.
  mutating func take(now: Int64) -> Int? {
    let passed = Double(max(0, now - since)) / 1_000
    since = max(since, now)
    stored = min(perSecond, stored + passed * perSecond)
    guard stored < 1 else {
      stored -= 1
      return nil
    }
    return max(1, Int(((1 - stored) / perSecond).rounded(.up)))
  }
}
