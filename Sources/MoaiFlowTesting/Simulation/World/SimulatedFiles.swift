import MoaiFlow
import Synchronization

/// The files of a device that holds an offline replica: they outlive its processes, fill up, fail, and are copied.
final class SimulatedFiles: Sendable {
  /// What is in them, and whose replica that is.
  struct Records: Sendable {
    var byPosition: [CheckpointRecord.Position: [UInt8]] = [:]
    var agent: String
  }

  enum Fault: CaseIterable, Sendable {
    case full, uncertainStored, uncertainLost, slow
  }

  private struct Contents {
    var records: Records
    /// Earlier states, newest last.
    var copies: [Records] = []
    var faults: [Fault] = []
    /// The process that has them open.
    var generation = 0
  }

  private let contents: Mutex<Contents>
  private let clock = SimulatedClock()

  init(agent: String) {
    contents = Mutex(Contents(records: Records(agent: agent)))
  }

  func willMeet(_ fault: Fault) { contents.withLock { $0.faults.append(fault) } }
  func forgetFaults() { contents.withLock { $0.faults = [] } }

  /// What is there now.
  var records: Records { contents.withLock { $0.records } }

  /// Keeps a copy of what is there, to come back to.
  func copy() {
    contents.withLock { contents in
      contents.copies.append(contents.records)
      if contents.copies.count > 3 { contents.copies.removeFirst() }
    }
  }

  /// Brings an earlier copy back, or what another device has; nothing at all without one.
  func replace(by records: Records?) {
    contents.withLock { $0.records = records ?? Records(agent: $0.records.agent) }
  }

  var agent: String { contents.withLock { $0.records.agent } }

  var oldestCopy: Records? { contents.withLock { $0.copies.first } }

  /// Opens them for a new process; the one before loses them.
  func open() -> SimulatedFileStore {
    let generation = contents.withLock { contents in
      contents.generation += 1
      return contents.generation
    }
    return SimulatedFileStore(files: self, generation: generation)
  }

  fileprivate func load(_ generation: Int) throws(JournalError) -> Records {
    let records = contents.withLock { $0.generation == generation ? $0.records : nil }
    guard let records else { throw .closed }
    return records
  }

  fileprivate func commit(_ changes: [StoredRecord], _ generation: Int) async throws(JournalError) {
    let fault = contents.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
    if fault == .slow { await clock.pass(200) }
    if fault == .full { throw .full("the device") }
    let isOpen = contents.withLock { contents in
      guard contents.generation == generation else { return false }
      if fault != .uncertainLost {
        for change in changes { contents.records.byPosition[change.position] = change.bytes }
      }
      return true
    }
    guard isOpen else { throw .closed }
    if fault == .uncertainStored || fault == .uncertainLost { throw .uncertain("the device") }
  }
}

/// The files as one process sees them.
struct SimulatedFileStore: ReplicaStore {
  fileprivate let files: SimulatedFiles
  fileprivate let generation: Int

  func load() async throws(JournalError) -> [StoredRecord] {
    try files.load(generation).byPosition.map { StoredRecord($0.key, $0.value) }.sorted { $0.position < $1.position }
  }

  func commit(_ changes: [StoredRecord]) async throws(JournalError) {
    try await files.commit(changes, generation)
  }

  func close() async throws(JournalError) {}
}
