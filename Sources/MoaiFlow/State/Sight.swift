import MoaiCRDT

/// What the writer of an entry had seen (rule §4.3): what entered the journal up to his base, what the same entry did
/// before, and, of an offline replica, its own earlier writes and those of others that it had met.
struct Sight {
  let base: Revision
  let entry: Revision
  let offline: OfflineOrigin?

  init(base: Revision, _ transaction: borrowing Transaction) {
    self.base = base
    entry = transaction.revision
    offline = transaction.offline
  }

  @inline(__always)
  func contains(_ dot: Dot, _ written: Written) -> Bool {
    written.entered <= base || written.entered == entry || offline?.hasSeen(dot) ?? false
  }

  /// Whether the writer knew of this incarnation of the key (rule §4.8).
  func contains(_ header: KeyRecord.Header) -> Bool {
    header.createdAt <= base || header.createdAt == entry || offline?.hasSeen(header.created) ?? false
  }
}

extension OfflineOrigin {
  /// A replica's deltas apply in order, so whatever is there of its own came before.
  func hasSeen(_ dot: Dot) -> Bool {
    dot.replica == replica || dot.number <= seen[dot.replica]
  }
}
