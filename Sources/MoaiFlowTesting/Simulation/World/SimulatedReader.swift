import MoaiFlow
import Synchronization

/// Somebody who keeps a copy of the swarm's state, by asking for what changed or by following.
final class SimulatedReader: Sendable {
  let name: String
  let link: SimulatedLink
  private let host: SimulatedHost
  private let log: RunLog
  private let clock = SimulatedClock()
  private let copy = Mutex(StateMirror())
  private let random: Mutex<SplitMix64>
  private let feed = Mutex<Task<Void, Never>?>(nil)
  private let isLeaving = Mutex(false)
  private let isPolling = Mutex(false)

  init(name: String, link: SimulatedLink, host: SimulatedHost, log: RunLog, seed: UInt64) {
    self.name = name
    self.link = link
    self.host = host
    self.log = log
    random = Mutex(SplitMix64(seed: seed))
  }

  var mirror: StateMirror { copy.withLock { $0 } }

  private func dice(_ bound: Int) -> Int { random.withLock { $0.below(bound) } }

  // MARK: Delta sync

  /// Asks for what changed, page by page, to the end of the pass; gives up where the network does. True if it ended.
  @discardableResult
  func poll(_ dice: SplitMix64, isPatient: Bool = false) async -> Bool {
    let isFree = isPolling.withLock { isPolling in
      defer { isPolling = true }
      return !isPolling
    }
    guard isFree else { return false }
    defer { isPolling.withLock { $0 = false } }
    var workload = Workload(random: dice)
    var start = mirror.start
    for _ in 0..<200 {
      let query = ChangesQuery(
        since: start, limit: 1 + workload.below(workload.chance(50) ? 2 : 100),
        maxBytes: workload.chance(80) ? 1 << 20 : 300, asValues: workload.chance(15))
      let page: ChangesPage
      do {
        guard case .changes(let answer) = try await link.answer(.changes(query)) else { return false }
        page = answer
      } catch {
        guard isPatient else { return false }
        await clock.pass(100)
        start = mirror.start
        continue
      }
      // An answer that arrives twice is taken twice.
      for _ in 0...(workload.chance(10) && page.next != nil ? 1 : 0) {
        guard apply(page) else { return false }
      }
      guard let next = page.next else { return true }
      start = .page(next)
      await clock.pass(workload.below(workload.chance(15) ? 1_500 : 30))
    }
    return false
  }

  private func apply(_ page: ChangesPage) -> Bool {
    do {
      try copy.withLock { copy throws(StateMirror.Mismatch) in try copy.apply(page) }
    } catch {
      log.violation("§5.3", "\(name): a page does not fit: \(error)")
      return false
    }
    if page.cursor != nil { log.note(mirror, of: name) }
    return true
  }

  // MARK: Following

  /// Follows until ``leave()``, over every process and break of the network.
  func follow() {
    let task = Task {
      while !isLeaving.withLock({ $0 }) {
        guard host.running != nil, link.incoming() != nil else {
          await clock.pass(50)
          continue
        }
        await followOnce()
        await clock.pass(20)
      }
    }
    follower.withLock { $0 = task }
  }

  private let follower = Mutex<Task<Void, Never>?>(nil)

  /// One connection: it ends when it breaks, when the process dies, or when a batch does not fit.
  private func followOnce() async {
    guard let (swarm, generation) = host.running else { return }
    let connection = Task { [link, mirror] in
      do {
        for try await batch in swarm.follow(since: mirror.start, matching: .all) {
          guard let delay = link.incoming() else { continue }
          await clock.pass(dice(8) == 0 ? 300 : delay)
          if Task.isCancelled { return }
          guard apply(batch), dice(10) > 0 || apply(batch) else { return }
        }
      } catch {
        log.note(event: "\(name): the feed ended: \(error)")
      }
    }
    feed.withLock { $0 = connection }
    let number = host.connect(to: generation) { connection.cancel() }
    if number == nil { connection.cancel() }
    await connection.value
    if let number { host.disconnect(number) }
  }

  /// False if what came does not begin where the copy ends: the follower connects again.
  private func apply(_ batch: ChangeBatch) -> Bool {
    do {
      try copy.withLock { copy throws(StateMirror.Mismatch) in try copy.apply(batch) }
    } catch .gap {
      return false
    } catch {
      log.violation("§5.4", "\(name): a batch does not fit: \(error)")
      return false
    }
    if batch.cursor != nil { log.note(mirror, of: name) }
    return true
  }

  func breakFeed() {
    feed.withLock { $0 }?.cancel()
  }

  /// Stops following; returns when nothing of it is left.
  func leave() async {
    isLeaving.withLock { $0 = true }
    breakFeed()
    await follower.withLock { $0 }?.value
  }
}
