import MoaiCRDT

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The suspicion against one agent, as a pure function of its signs and of instants in milliseconds of a clock that never goes
/// back (rules §7.2, §7.3).
///
/// Both kinds give a level on one scale, on which an agent that is silent is degraded from 1, critical from 2 and failed from
/// 3 on. Health worsens when a threshold is reached, and improves when the level is a fifth below it.
struct FailureDetector: Sendable, Hashable {
  /// How far below a threshold the level must fall before the health is better.
  static let hysteresis = 0.2

  let kind: FailureDetection
  /// In milliseconds.
  let interval: Int64
  private(set) var health = AgentHealth.healthy
  /// The last sign, or the instant from which silence counts.
  private(set) var heardAt: Int64
  /// Until when silence was announced.
  private(set) var busyUntil: Int64?
  private var arrivals: ArrivalTimes

  init(_ kind: FailureDetection, interval: Int64, at now: Int64) {
    self.kind = kind
    self.interval = interval
    heardAt = now
    arrivals = ArrivalTimes(interval: interval)
  }

  /// Takes a sign of life. Any sign recovers.
  mutating func hear(busyFor busy: Int64?, at now: Int64) {
    // How long it was failed, or busy, says nothing about when the next sign is due.
    if kind == .phiAccrual, health != .failed, !isBusy(at: heardAt) { arrivals.take(now - heardAt) }
    heardAt = max(heardAt, now)
    if let busy { busyUntil = now + min(max(0, busy), Heartbeat.longestBusy) }
    health = .healthy
  }

  /// Begins all silence anew: nobody could have been heard.
  mutating func restart(at now: Int64) {
    heardAt = max(heardAt, now)
  }

  private func isBusy(at now: Int64) -> Bool { busyUntil.map { now < $0 } ?? false }

  /// Milliseconds of silence that count.
  func silence(at now: Int64) -> Int64 { max(0, now - max(heardAt, busyUntil ?? heardAt)) }

  /// How strong the suspicion is; 0: none.
  func level(at now: Int64) -> Double {
    let silence = Double(silence(at: now))
    switch kind {
    case .intervals: return silence / Double(interval)
    case .phiAccrual: return arrivals.level(after: silence)
    }
  }

  /// Looks at the level, and returns the health by it.
  mutating func assess(at now: Int64) -> AgentHealth {
    let level = level(at: now)
    let worse = AgentHealth.allCases.last { $0.threshold <= level } ?? .healthy
    let better = AgentHealth.allCases.last { $0.threshold <= level + FailureDetector.hysteresis } ?? .healthy
    if worse > health { health = worse } else if better < health { health = better }
    return health
  }

  /// When to look next, if no sign comes until then.
  func nextLook(after now: Int64) -> Int64 {
    let counted = max(heardAt, busyUntil ?? heardAt)
    guard kind == .intervals else { return max(now, counted) + max(1, interval / 10) }
    for health in AgentHealth.allCases.dropFirst() {
      let instant = counted + Int64(health.threshold) * interval
      if instant > now { return instant }
    }
    return now + interval
  }
}

/// How far apart an agent's signs were: the φ accrual failure detector of Hayashibara, Défago, Yared and Katayama (2004).
///
/// φ(t) is −log₁₀ of the probability that a sign still comes after t milliseconds of silence, under a normal distribution of
/// the gaps that were seen. As in Akka's detector the deviation has a least value, and silence is forgiven for a pause.
struct ArrivalTimes: Sendable, Hashable {
  /// Raising it makes the detector slower to learn that an agent has become regular.
  static let window = 64
  /// The levels 1, 2 and 3 begin here: one wrong suspicion in 10², 10⁵ and 10⁸ gaps, if gaps were normal.
  static let steps: [Double] = [2, 5, 8]

  /// Milliseconds, oldest first.
  private var gaps: [Double]
  private let leastDeviation: Double
  private let pause: Double

  /// Begins as if signs had come as agreed: every third of the interval.
  init(interval: Int64) {
    let third = Double(interval) / 3
    gaps = [third * 0.75, third * 1.25]
    leastDeviation = Double(interval) / 10
    pause = Double(interval)
  }

  mutating func take(_ gap: Int64) {
    // Several signs at once say nothing about when the next one is due.
    guard Double(gap) >= leastDeviation else { return }
    gaps.append(Double(gap))
    if gaps.count > ArrivalTimes.window { gaps.removeFirst() }
  }

  var mean: Double { gaps.reduce(0, +) / Double(gaps.count) }

  private var deviation: Double {
    let mean = mean
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    return max(leastDeviation, variance.squareRoot())
  }

  func phi(after silence: Double) -> Double {
    let distance = (silence - pause - mean) / deviation
    return ArrivalTimes.phi(distance)
  }

  /// −log₁₀ of the upper tail of the normal distribution, by the logistic approximation that Akka uses; exact to 0.014 in
  /// probability, and monotone where a sum of rounded terms would not be.
  static func phi(_ distance: Double) -> Double {
    let exponent = distance * (1.5976 + 0.070566 * distance * distance)
    // ln(1 + eˣ) without overflow.
    let softplus = exponent > 30 ? exponent : log1p(exp(exponent))
    return softplus / log(10)
  }

  /// φ on the scale of ``FailureDetector/level(at:)``: straight between the steps.
  func level(after silence: Double) -> Double {
    let phi = phi(after: silence)
    var below = 0.0
    for (index, step) in ArrivalTimes.steps.enumerated() {
      if phi < step { return Double(index) + (phi - below) / (step - below) }
      below = step
    }
    return Double(ArrivalTimes.steps.count)
  }
}
