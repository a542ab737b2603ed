import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// One round of the crash test (§10.1): a child process writes, is killed with SIGKILL at some moment, and the folder is
/// reopened. Every write whose acknowledgement left the child must be there, nothing twice, no entry in part, and the
/// journal must replay to what its checkpoints say.
///
/// Rounds on one folder go on from each other; `before` is what the last one found.
struct KillRound {
  enum Moment: Sendable {
    /// Seconds after the start of the process: while it opens the folder, or soon after.
    case afterStart(Double)
    /// Seconds after the first acknowledgement.
    case afterFirstWrite(Double)
  }

  let folder: String
  let writers: Int
  /// Writes of each row, if the child lives that long.
  let operations: Int
  let moment: Moment
  /// Entries between two checkpoints of the child: few, so that kills meet them.
  var checkpointEntries = SwarmOptions().checkpointEntries
  var before: [KillRow: Int] = [:]

  struct Report {
    /// Writes that were acknowledged in this round.
    let acknowledged: Int
    /// Whether the child was still writing when it was killed.
    let wasKilled: Bool
    /// What was acknowledged and is not there, is there twice, or is damaged, in words.
    let faults: [String]
    /// What each row has now.
    let found: [KillRow: Int]
  }

  func run() async throws -> Report {
    let (acknowledged, wasKilled) = try await writeAndKill()
    var faults: [String] = []
    var found: [KillRow: Int] = [:]
    let store = try await SQLiteStore(folder: folder)
    let swarm = try await Swarm.open(in: store)
    for row in KillRow.all(writers: writers) {
      let known = max(before[row] ?? 0, acknowledged[row] ?? 0)
      switch try await row.found(in: swarm) {
      case .success(let count):
        found[row] = count
        // A row waits for each answer, so one write at most was under way.
        if count < known { faults.append("\(row): \(count) of \(known)") }
        if count > known + 1 { faults.append("\(row): \(count), but only \(known) were written") }
      case .failure(let failure): faults.append(failure.description)
      }
    }
    try await swarm.close()
    faults += await JournalAudit(of: try await store.open(.default)).problems
    try await store.close()
    return Report(
      acknowledged: acknowledged.reduce(0) { $0 + max(0, $1.value - (before[$1.key] ?? 0)) }, wasKilled: wasKilled,
      faults: faults, found: found)
  }

  /// The highest number acknowledged, row by row.
  private func writeAndKill() async throws -> ([KillRow: Int], Bool) {
    let child = Process()
    child.executableURL = KillRound.executable
    child.arguments = [
      "child-writer", "--data", folder, "--writers", "\(writers)", "--operations", "\(operations)",
      "--checkpoint-entries", "\(checkpointEntries)",
    ]
    let pipe = Pipe()
    child.standardOutput = pipe
    try child.run()
    if case .afterStart(let seconds) = moment { Timer.start(child, seconds) }
    let reader = Task.detached { [moment] in
      KillRound.lines(of: pipe.fileHandleForReading) {
        if case .afterFirstWrite(let seconds) = moment { Timer.start(child, seconds) }
      }
    }
    let text = await reader.value
    child.waitUntilExit()
    let wasKilled = child.terminationReason == .uncaughtSignal && child.terminationStatus == SIGKILL
    guard wasKilled || child.terminationStatus == 0 else {
      throw KillFailure(reason: "the child failed by itself with status \(child.terminationStatus)")
    }
    var acknowledged: [KillRow: Int] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let count = fields.last.flatMap({ Int($0) }), let row = KillRow(fields.dropLast()) else {
        throw KillFailure(reason: "the child printed \"\(line)\"")
      }
      acknowledged[row] = max(acknowledged[row] ?? 0, count)
    }
    return (acknowledged, wasKilled)
  }

  /// Everything that the child printed up to its death, without a last line that it did not finish.
  private static func lines(of handle: FileHandle, onFirst: () -> Void) -> String {
    var bytes = Data()
    var isFirst = true
    while true {
      let chunk = handle.availableData
      if chunk.isEmpty { break }
      if isFirst { onFirst() }
      isFirst = false
      bytes.append(chunk)
    }
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[...$0] } ?? Data()
    return String(decoding: whole, as: UTF8.self)
  }

  private enum Timer {
    /// Kills the child after a while, unless it has ended.
    static func start(_ child: Process, _ seconds: Double) {
      let id = child.processIdentifier
      DispatchQueue.global().asyncAfter(deadline: .now() + seconds) {
        if child.isRunning { kill(id, SIGKILL) }
      }
    }
  }

  /// This program, to be run as its own child.
  private static var executable: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }
}
