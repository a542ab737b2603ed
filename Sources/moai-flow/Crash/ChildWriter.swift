import ArgumentParser
import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Synchronization

/// The child that ``KillRound`` kills: a task for every row, which prints a line for every acknowledged write.
///
/// A line is `writer kind number`, printed after the answer and at once: whatever was read from the pipe was
/// acknowledged. Each row goes on where the folder says that it ended.
struct ChildWriter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "child-writer", shouldDisplay: false)

  @Option var data: String
  @Option var writers: Int
  @Option var operations: Int
  @Option var checkpointEntries: Int

  func run() async throws {
    var options = SwarmOptions()
    options.checkpointEntries = checkpointEntries
    let swarm = try await Swarm.open(in: try await SQLiteStore(folder: data), options: options)
    let output = LineOutput()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for row in KillRow.all(writers: writers) {
        let member = try await swarm.join(as: row.writer)
        let done = try await row.found(in: swarm).get()
        group.addTask {
          for number in done + 1..<done + 1 + operations {
            try await row.write(number, as: member)
            output.print("\(row) \(number)")
          }
        }
      }
      try await group.waitForAll()
    }
    try await swarm.close()
  }
}

/// Whole lines on standard output, at once, from many tasks.
private final class LineOutput: Sendable {
  private let handle = Mutex(FileHandle.standardOutput)

  func print(_ line: String) {
    handle.withLock { $0.write(Data((line + "\n").utf8)) }
  }
}
