import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Synchronization
import Testing

/// The README's Swift, compiled and run: the lines between the marks are the README's, to the letter.
@Suite struct ReadmeTests {
  private static func example() async throws {
    // README begins
    let swarm = try await Swarm.open("research", in: SQLiteStore(folder: "swarm-data"))
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("requests", by: 3)
    try await alice.state.add("task-7", to: "tasks")
    try await alice.state.set("config", to: ["timeout": 60, "retries": 3], type: .map)

    if let seen = try await swarm.state.read("config") {  // value, author, time, revision, cursor
      try await alice.state.set("config", to: ["timeout": 90, "retries": 3], base: seen.cursor)  // touches timeout only
      let missed = try await swarm.state.changes(since: seen.cursor)  // each changed key once, as a delta
      print(missed.changes)
    }
    for try await batch in swarm.state.follow(since: .beginning) {  // what was missed, then entry by entry, endlessly
      print(batch.changes)
    }
    // README ends
  }

  @Test func theReadmesExampleRuns() async throws {
    try await ReadmeTests.example()
    let (printed, folder) = exampleRun.withLock { ($0.printed, $0.folder) }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try #require(printed.count == 2)
    #expect(printed[0].map(\.content) == [.operations([.put(field: "timeout", 90)])])
    #expect(printed[1].map(\.key.description) == ["requests", "tasks", "config"])
  }

  @Test func theReadmesExampleIsTheOneThatRuns() throws {
    let here = URL(fileURLWithPath: #filePath)
    let readme = try text(here.deletingLastPathComponent().appendingPathComponent("../../README.md").standardized)
    let block = try #require(readme.split(separator: "```swift\n").dropFirst().first?.split(separator: "```").first)
    let run = try text(here).split(separator: "// README begins\n")[1].split(separator: "    // README ends")[0]
    let indented = run.split(separator: "\n", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
    let published = block.split(separator: "\n", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
      .filter { !$0.hasPrefix("import ") }.drop { $0.isEmpty }
    #expect(Array(published) == indented)
  }

  private func text(_ file: URL) throws -> String {
    try String(contentsOf: file, encoding: .utf8)
  }
}

/// What the example opened and printed.
private struct ExampleRun: Sendable {
  var swarm: MoaiFlow.Swarm?
  var printed: [[StateChange]] = []
  var folder = ""
}

private let exampleRun = Mutex(ExampleRun())

/// Stands before the library's names in this file, to put the example's folder elsewhere and to end its endless loop.
private enum Swarm {
  static func open(_ name: String, in store: MoaiFlowSQLite.SQLiteStore) async throws -> MoaiFlow.Swarm {
    let swarm = try await MoaiFlow.Swarm.open(name, in: store)
    exampleRun.withLock { $0.swarm = swarm }
    return swarm
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private func SQLiteStore(folder: String) async throws -> MoaiFlowSQLite.SQLiteStore {
  let place = FileManager.default.temporaryDirectory.appendingPathComponent("moai-readme-\(UUID().uuidString)")
  exampleRun.withLock { $0.folder = place.path }
  return try await MoaiFlowSQLite.SQLiteStore(folder: place.appendingPathComponent(folder).path)
}

private func print(_ changes: [StateChange]) {
  let swarm = exampleRun.withLock { run in
    run.printed.append(changes)
    return run.printed.count == 2 ? run.swarm : nil
  }
  if let swarm { Task { try await swarm.close() } }
}
