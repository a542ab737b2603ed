import ArgumentParser
import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Synchronization

/// The child that ``KillRound`` kills: writers of every type at once, which print a line for every acknowledged write.
///
/// A line is `writer type number`, printed after the answer and flushed at once: whatever was read from the pipe was
/// acknowledged.
struct ChildWriter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "child-writer", shouldDisplay: false)

  @Option var data: String
  @Option var writers: Int
  @Option var operations: Int

  func run() async throws {
    let swarm = try await Swarm.open(in: try await SQLiteStore(folder: data))
    let output = LineOutput()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 1...writers {
        for type in CRDTType.allCases {
          group.addTask {
            try await write(type, as: try await swarm.join(as: "child-\(number)")) { count in
              output.print("child-\(number) \(type.rawValue) \(count)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try await swarm.close()
  }

  private func write(_ type: CRDTType, as member: SwarmMember, acknowledged: (Int) -> Void) async throws {
    let name = member.agent.description
    for count in 1...operations {
      switch type {
      case .counter: try await member.state.increment("kill/counter/\(name)")
      case .set: try await member.state.add(.int(Int64(count)), to: "kill/set/\(name)/\(count / 100)")
      case .map: try await member.state.put(.int(Int64(count)), field: name, in: "kill/map")
      case .register: try await member.state.set("kill/register/\(name)", to: .int(Int64(count)))
      }
      acknowledged(count)
    }
  }
}

/// Whole lines on standard output, at once, from many tasks.
private final class LineOutput: Sendable {
  private let handle = Mutex(FileHandle.standardOutput)

  func print(_ line: String) {
    handle.withLock { $0.write(Data((line + "\n").utf8)) }
  }
}
