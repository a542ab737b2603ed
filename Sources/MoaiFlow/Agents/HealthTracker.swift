import HeapModule
import MoaiCRDT

/// The health of all agents of a swarm as one hub sees it: a pure value that takes signs and instants, and says what has
/// changed and whom to declare failed (rules §7.2 to §7.4).
///
/// Instants are milliseconds of a clock that never goes back. A sign costs O(1); looking costs what has come due, not what is
/// there: each agent has one next look.
struct HealthTracker: Sendable {
  private struct Watched: Sendable {
    let incarnation: Revision
    var detector: FailureDetector
    /// The journal says so; no silence is needed, and only a recovery ends it.
    var isDeclared: Bool
    /// The instant of the last sign; nil: this hub has heard none.
    var lastSign: Int64?
    var heartbeat = Heartbeat()
    /// Since when its progress is what it is.
    var progressedAt: Int64
    /// What others were told last.
    var told: Told
    /// When it is looked at next; looks for other instants are stale.
    var lookAt: Int64?

    var health: AgentHealth { isDeclared ? .failed : min(detector.health, .critical) }
  }

  private struct Told: Sendable, Hashable {
    let health: AgentHealth
    let isStuck: Bool
  }

  private struct Look: Comparable, Sendable {
    let instant: Int64
    let agent: AgentID
    let incarnation: Revision

    static func < (left: Self, right: Self) -> Bool {
      left.instant == right.instant ? left.agent < right.agent : left.instant < right.instant
    }
  }

  /// Somebody who was silent for too long.
  struct Suspect: Sendable, Hashable {
    let agent: AgentID
    let incarnation: Revision
    /// Milliseconds since the last sign; nil: this hub has heard none.
    let silence: Int64?
  }

  /// Intervals for which an agent's progress may stay the same. Lowering it calls slow work stuck.
  static let stuckIntervals: Int64 = 20
  /// How soon a declaration that did not come about is made again, in milliseconds.
  static let retry: Int64 = 1_000

  let detection: FailureDetection
  /// Longer between two looks than this, in milliseconds, and the hub itself was away.
  let pauseLimit: Int64
  private var agents: [AgentID: Watched] = [:]
  private var looks = Heap<Look>()
  private var advancedAt: Int64?

  init(_ detection: FailureDetection, pauseLimit: Int64) {
    self.detection = detection
    self.pauseLimit = pauseLimit
  }

  /// Watches an incarnation from now on, in place of an older one.
  mutating func admit(_ agent: AgentID, incarnation: Revision, interval: Int64, isFailed: Bool, at now: Int64) {
    // From here on somebody has to look.
    if advancedAt == nil { advancedAt = now }
    let detector = FailureDetector(detection, interval: interval, at: now)
    agents[agent] = Watched(
      incarnation: incarnation, detector: detector, isDeclared: isFailed, progressedAt: now,
      told: Told(health: isFailed ? .failed : .healthy, isStuck: false))
    look(at: agent, after: now)
  }

  mutating func dismiss(_ agent: AgentID) {
    agents[agent] = nil
  }

  /// Whether the agent was heard just now, whatever the journal says.
  func isSpeaking(_ agent: AgentID, at now: Int64) -> Bool {
    guard let watched = agents[agent], let sign = watched.lastSign else { return false }
    return now - sign < watched.detector.interval
  }

  /// Takes a sign of life; returns what changed by it. Of an agent that is not watched nothing is kept.
  mutating func hear(_ agent: AgentID, _ heartbeat: Heartbeat? = nil, at now: Int64) -> HealthReport? {
    guard let index = agents.index(forKey: agent) else { return nil }
    agents.values[index].detector.hear(busyFor: heartbeat?.busyMilliseconds, at: now)
    agents.values[index].lastSign = now
    if let heartbeat {
      if heartbeat.progress != agents.values[index].heartbeat.progress { agents.values[index].progressedAt = now }
      agents.values[index].heartbeat = heartbeat
      // What was announced may be over sooner than it seemed.
      let watched = agents.values[index]
      let look = watched.detector.nextLook(after: now)
      if let planned = watched.lookAt, look < planned { self.look(at: agent, at: look) }
    }
    return report(agents.values[index].told, agent, at: now)
  }

  /// Notes that an entry declared the incarnation failed, or recovered.
  mutating func declare(_ agent: AgentID, incarnation: Revision, isFailed: Bool, at now: Int64) -> HealthReport? {
    guard let watched = agents[agent], watched.incarnation == incarnation, watched.isDeclared != isFailed else {
      return nil
    }
    agents[agent]?.isDeclared = isFailed
    if !isFailed {
      agents[agent]?.detector.hear(busyFor: nil, at: now)
      look(at: agent, after: now)
    }
    return report(watched.told, agent, at: now)
  }

  /// Looks at whoever is due; returns what changed, and whom to declare failed.
  ///
  /// If more than ``pauseLimit`` has passed since the last time, nobody could have been heard: all silences begin anew.
  mutating func advance(to now: Int64) -> (reports: [HealthReport], suspects: [Suspect]) {
    if let last = advancedAt, now - last > pauseLimit { restart(at: now) }
    advancedAt = now
    var reports: [HealthReport] = []
    var suspects: [Suspect] = []
    while let due = looks.min, due.instant <= now {
      looks.removeMin()
      guard var watched = agents[due.agent], watched.incarnation == due.incarnation, watched.lookAt == due.instant,
        !watched.isDeclared
      else { continue }
      let isSuspect = watched.detector.assess(at: now) == .failed
      agents[due.agent] = watched
      if let report = report(watched.told, due.agent, at: now) { reports.append(report) }
      if isSuspect {
        suspects.append(
          Suspect(agent: due.agent, incarnation: due.incarnation, silence: watched.lastSign.map { now - $0 }))
        look(at: due.agent, at: now + HealthTracker.retry)
      } else {
        look(at: due.agent, after: now)
      }
    }
    return (reports, suspects)
  }

  private mutating func restart(at now: Int64) {
    for index in agents.values.indices { agents.values[index].detector.restart(at: now) }
  }

  private mutating func look(at agent: AgentID, after now: Int64) {
    guard let watched = agents[agent], !watched.isDeclared else { return }
    var instant = watched.detector.nextLook(after: now)
    if watched.heartbeat.progress != nil { instant = min(instant, max(now + 1, stuckAt(watched))) }
    look(at: agent, at: instant)
  }

  private mutating func look(at agent: AgentID, at instant: Int64) {
    guard let incarnation = agents[agent]?.incarnation else { return }
    agents[agent]?.lookAt = instant
    looks.insert(Look(instant: instant, agent: agent, incarnation: incarnation))
  }

  private func stuckAt(_ watched: Watched) -> Int64 {
    max(watched.progressedAt, watched.detector.busyUntil ?? watched.progressedAt)
      + HealthTracker.stuckIntervals * watched.detector.interval
  }

  private func isStuck(_ watched: Watched, at now: Int64) -> Bool {
    watched.heartbeat.progress != nil && !watched.isDeclared && now >= stuckAt(watched)
  }

  /// What others are to be told now, if that is not what they were told last.
  private mutating func report(_ told: Told, _ agent: AgentID, at now: Int64) -> HealthReport? {
    guard let watched = agents[agent] else { return nil }
    let new = Told(health: watched.health, isStuck: isStuck(watched, at: now))
    guard new != told else { return nil }
    agents[agent]?.told = new
    return HealthReport(
      agent: agent, incarnation: watched.incarnation, health: new.health, isStuck: new.isStuck,
      silence: silence(of: watched, at: now))
  }

  private func silence(of watched: Watched, at now: Int64) -> Int64 {
    max(0, now - (watched.lastSign ?? watched.detector.heardAt))
  }

  // MARK: Reading

  /// How an agent is at this instant; nil: it is not watched.
  func standing(of agent: AgentID, at now: Int64) -> AgentStanding? {
    guard var watched = agents[agent] else { return nil }
    if !watched.isDeclared { _ = watched.detector.assess(at: now) }
    return AgentStanding(
      health: watched.health, isStuck: isStuck(watched, at: now), level: watched.detector.level(at: now),
      silence: watched.lastSign.map { max(0, now - $0) }, heartbeat: watched.heartbeat)
  }

  /// When ``advance(to:)`` has something to do next; nil: never, if nobody is admitted.
  var nextLook: Int64? { looks.min?.instant }
}

/// How an agent is, as one hub sees it.
public struct AgentStanding: Sendable, Hashable {
  public let health: AgentHealth
  public let isStuck: Bool
  /// How strong the suspicion against it is: degraded from 1, critical from 2, failed from 3 on.
  public let level: Double
  /// Milliseconds since its last sign; nil: this hub has heard none.
  public let silence: Int64?
  /// What it said of itself last.
  public let heartbeat: Heartbeat
}
