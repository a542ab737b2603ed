public import MoaiCRDT

extension ReplicaState {
  /// What the journal's word on a replica means for the deltas that it holds.
  enum Standing: Equatable {
    /// The journal has all writes up to here, and the next ones follow on them.
    case follows(accepted: UInt64)
    /// The journal has the writes up to `accepted`. The others can only be sent under a new id; of the first `doubtful`
    /// of them nobody knows whether the journal has them.
    case renumber(Renumbering.Reason, accepted: UInt64, doubtful: Int)
    /// Others have met writes of this id that this replica never made: a copy's. The copy may still send what both have,
    /// so the id must be closed before anything is numbered anew.
    case copied
  }

  /// Compares what the journal of an epoch says of this replica with what it holds (rule §5.6).
  func standing(_ status: ReplicaStatus?, in epoch: Epoch) -> Standing {
    guard let status else {
      let isWhole = log.first.map { $0.delta.first == 1 } ?? (next == 1)
      guard isWhole else { return .renumber(.unknown, accepted: 0, doubtful: 0) }
      return met < next ? .follows(accepted: 0) : .copied
    }
    let isSame =
      if let delta = log.first(where: { $0.delta.last == status.accepted }) {
        delta.hash == status.hash
      } else if let first = log.first {
        // What is no longer held was in the journal, and a checkpoint had it.
        first.delta.first == status.accepted + 1 && first.delta.previousHash == status.hash
      } else {
        next == status.accepted + 1 && lastHash == status.hash
      }
    if isSame {
      let isCopied = max(status.announced, met) >= next
      if status.isClosed {
        return .renumber(isCopied ? .forked : .closed, accepted: status.accepted, doubtful: 0)
      }
      return isCopied ? .copied : .follows(accepted: status.accepted)
    }
    // Older than everything held: a backup was restored. Newer or other: the folder was copied, or is an old copy.
    guard let first = log.first, first.delta.first <= status.accepted else {
      let isBehind = status.accepted < next - 1
      return .renumber(isBehind ? .restored : .forked, accepted: min(status.accepted, next - 1), doubtful: 0)
    }
    var confirmed = first.delta.first - 1
    var doubtful = 0
    let oldest = status.recent.first?.last ?? 0
    for logged in log {
      if status.recent.contains(AcceptedDelta(last: logged.delta.last, hash: logged.hash)) {
        // The hash stands for everything before it too.
        confirmed = logged.delta.last
        doubtful = 0
      } else if logged.delta.last <= accepted, epoch == self.epoch {
        confirmed = logged.delta.last
      } else if logged.delta.last < oldest {
        doubtful += 1
      }
    }
    return .renumber(.forked, accepted: confirmed, doubtful: doubtful)
  }

  /// Notes that the journal has the writes up to here and none behind, all of them at a revision or before.
  mutating func confirm(upTo number: UInt64, at revision: Revision) {
    accepted = number
    for index in log.indices {
      let isIn = log[index].delta.last <= number
      guard isIn == (log[index].entered == nil) else { continue }
      log[index].entered = isIn ? revision : nil
      note(log[index])
    }
    noteHead()
  }

  /// The id under which what the journal does not have must be sent; nil: there is nothing, and any new id will do.
  ///
  /// It follows from the first of those deltas. So a copy of the files that is older than the renumbering, and comes back
  /// after it, numbers the same writes alike, and the journal knows that it has them.
  func successor(after confirmed: UInt64, doubtful count: Int) -> ReplicaID? {
    guard let first = log.filter({ $0.delta.last > confirmed }).dropFirst(count).first else { return nil }
    var hash = StableHash(seed: id.rawValue)
    hash.combine(first.hash)
    return ReplicaID(hash.finalize())
  }

  /// Goes on under a new id: what the journal does not have is numbered anew, with the times and bases that it had.
  mutating func renumber(as new: ReplicaID, after confirmed: UInt64, doubtful count: Int) {
    let rest = log.filter { $0.delta.last > confirmed }
    for logged in log { changes[.delta(logged.delta.last)] = .some(nil) }
    // What the journal has stays over the mirror until that has it too.
    if next > confirmed + 1 { overlay.forget(CausalContext(range: DotRange(id, confirmed + 1, next - 1))) }
    doubtful += rest.prefix(count).map(\.delta)
    for delta in rest.prefix(count).map(\.delta) { changes[.doubtful(delta)] = .some(delta.encoded()) }
    // The deltas had seen this replica's earlier writes, which the journal has under the old id.
    let own = VectorClock([(id, rest.dropFirst(count).first.map { $0.delta.first - 1 } ?? 0)])
    formerIDs[id] = confirmed
    (id, next, lastHash, accepted, met) = (new, 1, 0, 0, 0)
    log = []
    rights = [:]
    for old in rest.dropFirst(count).map(\.delta) {
      append(
        ReplicaDelta(
          replica: new, first: next, base: old.base, seen: old.seen.merging(own), previousHash: lastHash,
          timestamp: old.timestamp,
          writes: old.writes))
    }
    noteOverlay()
    noteHead()
  }

  /// The next deltas to send, none behind `last`: at most so many, and about so many bytes.
  func batch(upTo last: UInt64, deltas: Int, bytes: Int) -> [ReplicaDelta] {
    var batch: [ReplicaDelta] = []
    var size = 0
    for logged in unsent.prefix(deltas) where logged.delta.last <= last {
      size += logged.encoded().count
      if size > bytes, !batch.isEmpty { break }
      batch.append(logged.delta)
    }
    return batch
  }

  /// Takes what the swarm answered to deltas. Returns the refusal at which it stopped, if it did.
  mutating func take(_ outcomes: [Outcome], to deltas: [ReplicaDelta]) -> Refusal? {
    guard var index = log.firstIndex(where: { $0.delta.first == deltas.first?.first }) else { return nil }
    for (delta, outcome) in zip(deltas, outcomes) {
      switch outcome.result {
      case .replica(let result):
        if case .kept(let refusal) = result {
          keep(KeptDelta(delta: delta, revision: outcome.revision, refusal: refusal))
        }
        accepted = delta.last
        log[index].entered = outcome.revision
        note(log[index])
        index += 1
      case .refused(let refusal): return refusal
      default: return nil
      }
    }
    noteHead()
    return nil
  }

  /// Takes a whole pass over what changed in the swarm. What the journal has of any replica leaves the overlay.
  mutating func take(_ pages: [ChangesPage], now: Int64) throws(SwarmError) {
    let touched = try mirror.apply(pages)
    note(touched)
    settleOverlay()
    hear(of: touched, now: now)
  }

  /// Takes what the swarm says at the end of an exchange: rules, rights, refused deltas, and up to which entry a checkpoint
  /// covers it, so that the deltas in there need not be kept here.
  mutating func take(_ status: ReplicaStatus?, settings: SwarmSettings, coveredUpTo checkpoint: Revision) {
    if settings != self.settings {
      self.settings = settings
      noteSettings()
    }
    rights = [:]
    for (key, right) in status?.rights ?? [:] { setRight(right, of: key) }
    for old in kept where old.delta.replica == id { changes[.kept(old)] = .some(nil) }
    kept.removeAll { $0.delta.replica == id }
    for one in status?.kept ?? [] { keep(one) }
    let covered = log.prefix { ($0.entered ?? .max) <= checkpoint }
    for logged in covered { changes[.delta(logged.delta.last)] = .some(nil) }
    log.removeFirst(covered.count)
    noteHead()
  }

  /// Other replicas whose writes this one shows, with the last number met, as far as the journal has not heard of it, in
  /// order of their ids. What never comes, because files are lost, can only end if somebody names it (rule §5.6).
  var unheardOf: [(replica: ReplicaID, last: UInt64)] {
    var ids: Set<ReplicaID> = []
    for key in overlay.keys { overlay[key]?.forEachDot { ids.insert($0.replica) } }
    ids.remove(id)
    return ids.map { ($0, overlay.context.lastNumber(of: $0)) }
      .filter { $0.1 > mirror.progress[$0.0]?.announced ?? 0 }
      .sorted { $0.0 < $1.0 }
  }

  /// Forgets a refused delta that was resolved.
  mutating func forget(_ old: KeptDelta) {
    kept.removeAll { $0 == old }
    changes[.kept(old)] = .some(nil)
  }

  /// Forgets deltas of which it was not known whether the journal has them.
  mutating func forgetDoubtful() {
    for delta in doubtful { changes[.doubtful(delta)] = .some(nil) }
    doubtful = []
  }

  /// Takes what the replica may spend of a counter in all, and subtracts what it spent and did not send yet.
  mutating func setRight(_ right: CounterRight, of key: StateKey) {
    var left = right
    for step in unsent.flatMap(\.delta.writes).filter({ $0.key == key }).map(\.operations.step) {
      if step < 0 { left.down = Int64(max(0, Int128(left.down) + step)) }
      if step > 0 { left.up = Int64(max(0, Int128(left.up) - step)) }
    }
    rights[key] = left.isEmpty ? nil : left
    noteHead()
  }

  /// Notes refused deltas of which the answer was lost. Returns those that were not known.
  mutating func learn(_ refused: [KeptDelta]) -> [KeptDelta] {
    let new = refused.filter { !kept.contains($0) }
    for one in new { keep(one) }
    return new
  }

  private mutating func keep(_ delta: KeptDelta) {
    kept.append(delta)
    changes[.kept(delta)] = .some(delta.encoded())
  }

  /// Up to which number the journal may have a replica's writes: another copy of this one may have gone further.
  private func limit(_ progress: ReplicaProgress) -> UInt64 {
    progress.replica == id ? next - 1 : .max
  }

  /// Takes out of the overlay what the mirror has, of whichever replica.
  private mutating func settleOverlay() {
    var settled = CausalContext()
    for one in mirror.progress.values {
      // Of a replica that was closed nothing more will come.
      let isOver = one.isClosed && one.replica != id
      let last = isOver ? max(one.accepted, overlay.context.lastNumber(of: one.replica)) : min(one.accepted, limit(one))
      if last > 0 { settled.insert(DotRange(one.replica, 1, last)) }
    }
    overlay.forget(settled)
    for former in formerIDs.keys where mirror.progress[former]?.isClosed == true { formerIDs[former] = nil }
    noteOverlay()
    noteHead()
  }

  /// Follows the clocks of others, as far as they are not absurd: an online write must not be older than what its writer
  /// had seen.
  private mutating func hear(of keys: Set<StateKey>, now: Int64) {
    var latest = Timestamp(milliseconds: 0)
    for key in keys { latest = max(latest, mirror.keys[key]?.timestamp ?? latest) }
    hear(latest, now: now)
  }

  private mutating func hear(_ timestamp: Timestamp, now: Int64) {
    guard timestamp > clock.last, timestamp.milliseconds <= Deadlines.after(now, ReplicaTable.driftBound) else {
      return
    }
    _ = clock.receive(timestamp, now: now)
  }
}

// MARK: - Another replica

extension ReplicaState {
  /// What another replica needs to know to say what this one lacks.
  var summary: PeerSummary {
    var context = overlay.context
    let closed = mirror.progress.values.filter(\.isClosed)
    if !closed.isEmpty {
      var gone = CausalContext()
      for one in closed where one.accepted > 0 { gone.insert(DotRange(one.replica, 1, one.accepted)) }
      context = context.subtracting(gone)
    }
    return PeerSummary(swarm: swarm, replica: id, cursor: mirror.cursor, context: context)
  }

  /// What the replica with this summary lacks.
  func update(for other: PeerSummary) throws(ReplicaError) -> PeerUpdate {
    guard other.swarm == swarm else { throw .otherSwarm(other.swarm) }
    guard other.replica != id else { throw .refused(.forked(id, first: next)) }
    if let theirs = other.cursor?.epoch, let ours = epoch, theirs != ours { throw .otherEpoch(theirs) }
    return PeerUpdate(mirror: mirror.update(for: other.cursor), overlay: overlay.delta(since: other.context))
  }

  /// Takes what another replica had and this one lacked.
  ///
  /// - Throws: `.refused(.forked)` if others have met writes of this replica that it never made: a copy of it did. Only the
  ///   journal can tell which of them it has, so this replica must go there first.
  mutating func take(_ update: PeerUpdate, now: Int64) throws(ReplicaError) {
    let journaled = update.mirror?.progress.first { $0.replica == id }?.accepted ?? 0
    met = max(journaled, update.overlay.context.lastNumber(of: id))
    guard met < next else {
      throw .refused(.forked(id, first: next))
    }
    if let theirs = update.mirror?.cursor {
      if let ours = mirror.cursor {
        guard theirs.epoch == ours.epoch else { throw .otherEpoch(theirs.epoch) }
      }
      if theirs.revision > mirror.cursor?.revision ?? -1, let news = update.mirror {
        let touched = mirror.apply(news)
        note(touched)
        hear(of: touched, now: now)
      }
    }
    // Others may have given up what this replica has still to send, because they know its id to be closed.
    overlay.merge(update.overlay.ignoring(id))
    settleOverlay()
    var latest = Timestamp(milliseconds: 0)
    for key in update.overlay.keys {
      update.overlay[key]?.forEach { _, writes in
        for (_, write) in writes { latest = max(latest, write.timestamp) }
      }
    }
    hear(latest, now: now)
  }
}

/// Says that a replica goes on under a new id, and why.
public struct Renumbering: Sendable, Hashable {
  public enum Reason: String, Sendable, Hashable {
    /// The folder was copied, or an old copy of it came back: another one has written under the same numbers.
    case forked
    /// The replica was idle for so long that it was closed.
    case closed
    /// The swarm does not know the replica.
    case unknown
    /// The swarm was restored from a backup that is older than what the replica still holds.
    case restored
  }

  public let reason: Reason
  public let from: ReplicaID
  public let to: ReplicaID
}
