import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Synchronization

/// One round of the crash test (§10.1): a child process writes, is killed with SIGKILL at some moment, and the folder is
/// reopened. Every write whose acknowledgement left the child must be there.
struct KillRound {
  let folder: String
  let writers: Int
  /// Operations of each writer on each type, if it lives that long.
  let operations: Int
  /// Seconds from the first acknowledgement to the kill.
  let killAfter: Double

  struct Report {
    let acknowledged: Int
    /// Whether the child was still writing when it was killed.
    let wasKilled: Bool
    /// What was acknowledged and is not there, in words.
    let missing: [String]
  }

  func run() async throws -> Report {
    let (acknowledged, wasKilled) = try await writeAndKill()
    let missing = try await missing(acknowledged)
    return Report(
      acknowledged: acknowledged.values.reduce(0, +), wasKilled: wasKilled, missing: missing)
  }

  /// What one writer did on one type.
  private struct Row: Hashable {
    let writer: String
    let type: CRDTType
  }

  /// The highest number acknowledged, by writer and type.
  private func writeAndKill() async throws -> ([Row: Int], Bool) {
    let child = Process()
    child.executableURL = KillRound.executable
    child.arguments = [
      "child-writer", "--data", folder, "--writers", "\(writers)", "--operations", "\(operations)",
    ]
    let pipe = Pipe()
    child.standardOutput = pipe
    try child.run()
    let reader = Task.detached { KillRound.lines(of: pipe.fileHandleForReading) { Timer.start(child, killAfter) } }
    let text = await reader.value
    child.waitUntilExit()
    let wasKilled = child.terminationReason == .uncaughtSignal && child.terminationStatus == SIGKILL
    guard wasKilled || child.terminationStatus == 0 else {
      throw KillFailure(reason: "the child failed by itself with status \(child.terminationStatus)")
    }
    var acknowledged: [Row: Int] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count == 3, let type = CRDTType(rawValue: String(fields[1])), let count = Int(fields[2]) else {
        throw KillFailure(reason: "the child printed \"\(line)\"")
      }
      let row = Row(writer: String(fields[0]), type: type)
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

  private func missing(_ acknowledged: [Row: Int]) async throws -> [String] {
    let store = try await SQLiteStore(folder: folder)
    let swarm = try await Swarm.open(in: store)
    var missing: [String] = []
    for (row, count) in acknowledged {
      let found = try await self.found(row, in: swarm, upTo: count)
      if found < count { missing.append("\(row.writer) \(row.type.rawValue): \(found) of \(count)") }
    }
    try await swarm.close()
    try await store.close()
    return missing.sorted()
  }

  /// How many of a row's first `count` writes are in the swarm.
  private func found(_ row: Row, in swarm: Swarm, upTo count: Int) async throws -> Int {
    switch row.type {
    case .counter: return number(try await swarm.state.read("kill/counter/\(row.writer)")?.value)
    case .map: return number(try await swarm.state.read("kill/map")?.value[row.writer])
    case .register: return number(try await swarm.state.read("kill/register/\(row.writer)")?.value)
    case .set:
      var elements: Set<StateValue> = []
      for part in 0...(count / 100) {
        if case .array(let some)? = try await swarm.state.read("kill/set/\(row.writer)/\(part)")?.value {
          elements.formUnion(some)
        }
      }
      return (1...count).count { elements.contains(.int(Int64($0))) }
    }
  }

  private func number(_ value: StateValue?) -> Int {
    if case .int(let number)? = value { Int(number) } else { 0 }
  }

  /// This program, to be run as its own child.
  private static var executable: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }
}

/// A round that says nothing about the folder.
struct KillFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}
