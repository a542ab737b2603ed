public import MoaiCRDT

/// What one entry changed, or what was missed since a cursor.
public struct ChangeBatch: Sendable, Hashable {
  /// What the receiver must have for the batch to apply; a batch that begins elsewhere is not for it (rule §5.4).
  public let after: Revision
  /// What the receiver has afterwards; nil on every page of a pass but the last.
  public let cursor: Cursor?
  /// The author and time of the one entry that the batch is; nil for what was missed.
  public let agent: AgentID?
  public let timestamp: Timestamp?
  public let changes: [StateChange]
  /// The pass replaces everything that the receiver has.
  public let isSnapshot: Bool
  /// False on every page of a pass but the first.
  public let isFirst: Bool
}

/// The changes of a swarm without an end: what was missed first, then entry by entry (rule §5.4).
///
/// A reader that is slower than the writers is never waited for, and its backlog is bounded: when the mailbox
/// overflows (``SwarmOptions/feedCapacity``), the feed goes on from its cursor with what changed since, each key once.
/// No change is lost by that; intermediate values are. Ends when the swarm closes; throws when it stops.
public struct ChangeFeed: AsyncSequence, Sendable {
  public typealias Element = ChangeBatch
  public typealias Failure = SwarmError

  let source: any ChangeSource
  let since: ChangesStart
  let filter: KeyFilter

  package init(source: any ChangeSource, since: ChangesStart, filter: KeyFilter) {
    self.source = source
    self.since = since
    self.filter = filter
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(source: source, position: since, filter: filter)
  }

  public struct Iterator: AsyncIteratorProtocol {
    let source: any ChangeSource
    /// Where to attach next.
    var position: ChangesStart
    let filter: KeyFilter
    private var mailbox: FeedMailbox?
    private var ready: ArraySlice<ChangeBatch> = []

    init(source: any ChangeSource, position: ChangesStart, filter: KeyFilter) {
      self.source = source
      self.position = position
      self.filter = filter
    }

    public mutating func next() async throws(SwarmError) -> ChangeBatch? {
      try await next(isolation: #isolation)
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(SwarmError) -> ChangeBatch? {
      while true {
        if let batch = ready.popFirst() {
          if let cursor = batch.cursor { position = .after(.cursor(cursor)) }
          return batch
        }
        guard let mailbox else {
          let attached = try await source.attach(at: position, matching: filter)
          mailbox = attached.mailbox
          position = attached.next.map { .page($0) } ?? .after(.cursor(attached.cursor))
          ready = attached.batches[...]
          continue
        }
        switch await mailbox.take() {
        case .elements(let batches): ready = batches[...]
        case .overflowed: self.mailbox = nil
        case .poked: continue
        case .ended(let error):
          if let error { throw error }
          return nil
        }
      }
    }
  }
}

/// Where a feed gets its changes: an embedded swarm, or a hub.
package protocol ChangeSource: Sendable {
  func attach(at start: ChangesStart, matching filter: KeyFilter) async throws(SwarmError) -> FeedAttachment
}

/// What was missed up to now; and, if that was the last page, the mailbox that everything after it goes to.
package struct FeedAttachment: Sendable {
  package let batches: [ChangeBatch]
  package let next: PageToken?
  /// What the receiver has after the batches; live batches begin here, once there is a mailbox.
  package let cursor: Cursor
  package let mailbox: FeedMailbox?

  package init(batches: [ChangeBatch], next: PageToken?, cursor: Cursor, mailbox: FeedMailbox?) {
    self.batches = batches
    self.next = next
    self.cursor = cursor
    self.mailbox = mailbox
  }
}
