import GRDB
import MoaiFlow
import Synchronization

/// The ends of the logs as they were last committed; loaded on first use, forgotten after any failure.
final class CommittedTails: Sendable {
  private let tails = Mutex<[Int64: Tail]>([:])

  func tail(of swarm: SwarmRow) -> Tail? {
    tails.withLock { $0[swarm.id] }
  }

  func forgetAll() {
    tails.withLock { $0.removeAll() }
  }

  fileprivate func publish(_ changed: [Int64: Tail], removing removed: [Int64]) {
    tails.withLock { tails in
      for (swarm, tail) in changed { tails[swarm] = tail }
      for swarm in removed { tails[swarm] = nil }
    }
  }
}

/// A transaction under way, with the ends of the logs as they will be once it is committed.
struct WriteTransaction: ~Copyable {
  let db: Database
  private let committed: CommittedTails
  private var staged: [Int64: Tail] = [:]
  private var removed: [Int64] = []

  init(db: Database, committed: CommittedTails) {
    self.db = db
    self.committed = committed
  }

  /// - Throws: `.noSuchSwarm` if the swarm was deleted, `.corrupt` if entries are missing at the end.
  mutating func tail(of swarm: SwarmRow) throws -> Tail {
    if let tail = staged[swarm.id] ?? committed.tail(of: swarm) { return tail }
    let tail = try EntryRows.wholeTail(of: swarm, in: db)
    staged[swarm.id] = tail
    return tail
  }

  mutating func setTail(_ tail: Tail, of swarm: SwarmRow) {
    staged[swarm.id] = tail
  }

  /// To be called for a swarm that this transaction deletes, or whose log it changes elsewhere than at the end.
  mutating func forget(_ swarm: SwarmRow) {
    staged[swarm.id] = nil
    removed.append(swarm.id)
  }

  /// After the commit.
  consuming func publish() {
    committed.publish(staged, removing: removed)
  }
}
