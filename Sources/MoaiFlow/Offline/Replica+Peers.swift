import MoaiCRDT

extension Replica {
  /// Exchanges with another replica of the same swarm what each lacks: offline writes, and what one of them has newer of
  /// the swarm. Afterwards both show the same (rule §5.6). The journal hears of a write only from the replica that made it.
  ///
  /// - Returns: the bytes that would have gone over a wire.
  /// - Throws: `.otherEpoch` if both know the swarm, but one of them from before a restore.
  @discardableResult
  public func exchange(with other: Replica) async throws(ReplicaError) -> Int {
    try await beginExchange()
    defer { endExchange() }
    let question = try await summary()
    let news = try await other.update(for: question)
    let theirs = try await other.summary()
    try await take(news)
    let answer = try await update(for: theirs)
    try await other.take(answer)
    return question.encoded().count + news.encoded().count + theirs.encoded().count + answer.encoded().count
  }

  /// What another replica, or its process, must know to answer with what this one lacks.
  public func summary() async throws(ReplicaError) -> PeerSummary {
    try await storeAll()
    return state.summary
  }

  /// What the replica with this summary lacks.
  public func update(for other: PeerSummary) async throws(ReplicaError) -> PeerUpdate {
    try await storeAll()
    return try state.update(for: other)
  }

  /// Takes what this replica lacked.
  public func take(_ update: PeerUpdate) async throws(ReplicaError) {
    try state.take(update, now: sources.now())
    try await flush()
  }

  /// Others must not hear of a write that a crash could still take back.
  private func storeAll() async throws(ReplicaError) {
    try await flush()
    while storedUpTo < state.next - 1 { try await flush() }
  }
}
