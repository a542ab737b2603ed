import MoaiFlow
import MoaiFlowTesting
import Synchronization
import Testing

/// Engines that break one promise each; the suite is only worth something if it notices them.
@Suite("The contract of journals notices broken engines")
struct JournalContractTests {
  @Test("§10.1 an engine that breaks a promise is found", arguments: Fault.allCases)
  func noticesBrokenEngine(fault: Fault) async {
    let contract = JournalContract(
      makeStore: { () async throws(JournalError) in FaultyStore(base: .counting(), fault: fault) },
      reopen: { store async throws(JournalError) in
        guard let store = store as? FaultyStore else { throw .failed("another engine's store") }
        return store.reopened()
      })
    let violations = await contract.violations()
    #expect(!violations.isEmpty, "\(fault) went unnoticed")
  }

  @Test("the wrapper of the broken engines breaks nothing by itself")
  func wrapperIsSound() async {
    let contract = JournalContract(
      makeStore: { () async throws(JournalError) in FaultyStore(base: .counting(), fault: nil) },
      reopen: { store async throws(JournalError) in
        guard let store = store as? FaultyStore else { throw .failed("another engine's store") }
        return store.reopened()
      })
    #expect(await contract.violations() == [])
  }
}

enum Fault: CaseIterable, Sendable {
  case losesTheLastEntryOfABatch
  case storesABatchTwice
  case reversesABatch
  case acknowledgesBeforeItIsStored
  case reportsAnOldHead
  case givesAnotherRevision
  case changesAByte
  case returnsAnEmptyPageForALowByteLimit
  case ignoresTheEntryLimit
  case skipsAnEntryBetweenPages
  case forgetsRemovals
  case dropsRecordsThatAnUpdateDoesNotName
  case acceptsACheckpointAheadOfTheHead
  case storesARefusedCheckpoint
  case ordersRecordsByIdAlone
  case startsARecordPageAtThePosition
  case repeatsAnEpoch
  case changesTheEpochAtReopening
  case sharesOneLogBetweenSwarms
  case restoresTheEntriesBeforeTheGap
  case restoresWithNewTimes
  case restoresOnlyTheFirstPage
  case restoresWithoutTheCheckpointsRecords
  case keepsOnlyTheNewestCheckpoint
  case showsTheNewestRecordsForEveryCheckpoint
  case acceptsATrimToAnyRevision
  case trimsOneEntryTooMany
  case readsFromTheHorizonInsteadOfRefusing
  case forgetsTheTrim
  case findsNoDamage
  case skipsIntactEntries
  case forgetsTheReplacement
  case answersAfterClosing
  case listsInReverse
}

/// A sound store seen through a fault.
private final class FaultyStore: JournalStore {
  let base: InMemoryStore
  let fault: Fault?
  private let salt: UInt64

  init(base: InMemoryStore, fault: Fault?, salt: UInt64 = 0) {
    self.base = base
    self.fault = fault
    self.salt = salt
  }

  func reopened() -> FaultyStore {
    FaultyStore(base: base.reopened(), fault: fault, salt: salt + 1)
  }

  func swarms() async throws(JournalError) -> [SwarmName] {
    let swarms = try await base.swarms()
    return fault == .listsInReverse ? swarms.reversed() : swarms
  }

  func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    let journal = try await base.create(swarm)
    guard fault == .sharesOneLogBetweenSwarms else { return faulty(journal) }
    return faulty(try await base.open(.default))
  }

  func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    faulty(try await base.open(swarm))
  }

  func delete(_ swarm: SwarmName) async throws(JournalError) {
    try await base.delete(swarm)
  }

  func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal {
    switch fault {
    case .restoresTheEntriesBeforeTheGap:
      let first = (checkpoint?.header.revision ?? 0) + 1
      let whole = zip(try await entries.all(), first...).prefix { $0.revision == $1 }.map(\.0)
      return faulty(try await base.restore(swarm, checkpoint: checkpoint, entries: Pages(whole)))
    case .restoresWithNewTimes:
      let moved = try await entries.all().map {
        JournalEntry(revision: $0.revision, appendedAt: 0, payload: $0.payload)
      }
      return faulty(try await base.restore(swarm, checkpoint: checkpoint, entries: Pages(moved)))
    case .restoresOnlyTheFirstPage:
      return faulty(
        try await base.restore(swarm, checkpoint: checkpoint, entries: Pages(try await entries.next())))
    case .restoresWithoutTheCheckpointsRecords:
      let bare = checkpoint.map { RestoredCheckpoint($0.header, records: Pages([])) }
      return faulty(try await base.restore(swarm, checkpoint: bare, entries: entries))
    default:
      return faulty(try await base.restore(swarm, checkpoint: checkpoint, entries: entries))
    }
  }

  func close() async throws(JournalError) {
    if fault != .answersAfterClosing { try await base.close() }
  }

  private func faulty(_ journal: any Journal) -> FaultyJournal {
    let epoch: Epoch =
      switch fault {
      case .repeatsAnEpoch: Epoch(1)
      case .changesTheEpochAtReopening: Epoch(journal.epoch.rawValue + 1_000 * salt)
      default: journal.epoch
      }
    return FaultyJournal(base: journal, fault: fault, epoch: epoch)
  }
}

private final class FaultyJournal: Journal {
  let base: any Journal
  let fault: Fault?
  let epoch: Epoch
  /// What was acknowledged and not stored yet.
  private let unwritten = Mutex<[[UInt8]]>([])
  private let firstHead = Mutex<Revision?>(nil)

  init(base: any Journal, fault: Fault?, epoch: Epoch) {
    self.base = base
    self.fault = fault
    self.epoch = epoch
  }

  func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    switch fault {
    case .losesTheLastEntryOfABatch where entries.count > 1:
      let appended = try await base.append(entries.dropLast())
      return Appended(
        firstRevision: appended.firstRevision, count: appended.count + 1, appendedAt: appended.appendedAt)
    case .storesABatchTwice where !entries.isEmpty:
      let appended = try await base.append(entries + entries)
      return Appended(firstRevision: appended.firstRevision, count: entries.count, appendedAt: appended.appendedAt)
    case .reversesABatch:
      return try await base.append(entries.reversed())
    case .acknowledgesBeforeItIsStored where !entries.isEmpty:
      let head = try await base.head()
      let earlier = unwritten.withLock { unwritten in
        defer { unwritten = entries }
        return unwritten
      }
      if !earlier.isEmpty { _ = try await base.append(earlier) }
      return Appended(firstRevision: head + Revision(earlier.count) + 1, count: entries.count, appendedAt: 0)
    case .givesAnotherRevision:
      let appended = try await base.append(entries)
      return Appended(
        firstRevision: appended.firstRevision + 1, count: appended.count, appendedAt: appended.appendedAt)
    default:
      return try await base.append(entries)
    }
  }

  func read(after revision: Revision, entryLimit: Int, byteLimit: Int) async throws(JournalError) -> [JournalEntry] {
    let horizon = try await base.horizon()
    if fault == .readsFromTheHorizonInsteadOfRefusing, revision >= 0, revision < horizon {
      return try await base.read(after: horizon, entryLimit: entryLimit, byteLimit: byteLimit)
    }
    var page = try await base.read(
      after: revision, entryLimit: fault == .ignoresTheEntryLimit ? .max : entryLimit, byteLimit: byteLimit)
    switch fault {
    case .changesAByte:
      page = page.map { entry in
        guard entry.payload.count > 99 else { return entry }
        var payload = entry.payload
        payload[50] ^= 1
        return JournalEntry(revision: entry.revision, appendedAt: entry.appendedAt, payload: payload)
      }
    case .returnsAnEmptyPageForALowByteLimit:
      if let first = page.first, first.payload.count > byteLimit { return [] }
    case .skipsAnEntryBetweenPages:
      if revision > 0, page.count > 1 { page.removeFirst() }
    case .trimsOneEntryTooMany:
      if horizon > 0, revision == horizon { return Array(page.dropFirst()) }
    default: break
    }
    return page
  }

  func head() async throws(JournalError) -> Revision {
    let head = try await base.head()
    guard fault == .reportsAnOldHead else { return head }
    return firstHead.withLock { first in
      if first == nil { first = head }
      return first ?? head
    }
  }

  func horizon() async throws(JournalError) -> Revision { try await base.horizon() }

  func trim(to floor: Revision) async throws(JournalError) {
    switch fault {
    case .forgetsTheTrim: break
    case .acceptsATrimToAnyRevision:
      do { try await base.trim(to: floor) } catch { return }
    default: try await base.trim(to: floor)
    }
  }

  func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    switch fault {
    case .forgetsRemovals:
      try await base.save(
        CheckpointUpdate(
          revision: checkpoint.revision, header: checkpoint.header, upserted: checkpoint.upserted, removed: [],
          keepsPrevious: checkpoint.keepsPrevious))
    case .keepsOnlyTheNewestCheckpoint:
      try await base.save(
        CheckpointUpdate(
          revision: checkpoint.revision, header: checkpoint.header, upserted: checkpoint.upserted,
          removed: checkpoint.removed))
    case .dropsRecordsThatAnUpdateDoesNotName:
      let named = Set(checkpoint.upserted.map(\.position))
      let newest = try await base.checkpoint()?.revision ?? 0
      let dropped = try await base.checkpointRecords(of: newest, after: nil, limit: .max).map(\.position)
        .filter { !named.contains($0) }
      try await base.save(
        CheckpointUpdate(
          revision: checkpoint.revision, header: checkpoint.header, upserted: checkpoint.upserted, removed: dropped))
    case .acceptsACheckpointAheadOfTheHead:
      let head = try await base.head()
      guard checkpoint.revision > head else { return try await base.save(checkpoint) }
    case .storesARefusedCheckpoint:
      do {
        try await base.save(checkpoint)
      } catch {
        let revision = try await base.checkpoint()?.revision ?? 0
        try await base.save(
          CheckpointUpdate(
            revision: revision, header: checkpoint.header, upserted: checkpoint.upserted, removed: checkpoint.removed))
        throw error
      }
    default:
      try await base.save(checkpoint)
    }
  }

  func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry? {
    fault == .findsNoDamage ? nil : try await base.damagedEntry(at: revision)
  }

  func skip(_ revision: Revision, replacement: [UInt8], evenIfIntact: Bool) async throws(JournalError) {
    switch fault {
    case .skipsIntactEntries: try await base.skip(revision, replacement: replacement, evenIfIntact: true)
    case .forgetsTheReplacement: try await base.skip(revision, replacement: [], evenIfIntact: evenIfIntact)
    default: try await base.skip(revision, replacement: replacement, evenIfIntact: evenIfIntact)
    }
  }

  func checkpoint() async throws(JournalError) -> CheckpointHeader? { try await base.checkpoint() }
  func checkpoints() async throws(JournalError) -> [CheckpointHeader] { try await base.checkpoints() }

  func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    switch fault {
    case .ordersRecordsByIdAlone:
      let all = try await base.checkpointRecords(of: revision, after: nil, limit: .max)
        .sorted { $0.position.id.lexicographicallyPrecedes($1.position.id) }
      let start = all.firstIndex { $0.position == position }.map { $0 + 1 } ?? 0
      return Array(all[start...].prefix(limit))
    case .startsARecordPageAtThePosition:
      let page = try await base.checkpointRecords(of: revision, after: position, limit: limit)
      guard let position, !page.isEmpty else { return page }
      return [CheckpointRecord(table: position.table, id: position.id, bytes: [])] + page.dropLast()
    case .showsTheNewestRecordsForEveryCheckpoint:
      let newest = try await base.checkpoint()?.revision ?? revision
      return try await base.checkpointRecords(of: newest, after: position, limit: limit)
    default:
      return try await base.checkpointRecords(of: revision, after: position, limit: limit)
    }
  }
}
