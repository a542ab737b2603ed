import ArgumentParser
import Foundation
import MoaiFlow

/// `moai-flow resolve`: the stateless resolver on a file or on standard input.
struct Resolve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make one version out of several of the same key.",
    discussion: """
      Reads {"state_key": "…", "versions": […]} or a plain array of versions and prints one version, which is itself \
      a valid input. Every error is one line on standard error and exit code 2.

      Example:
        moai-flow resolve --strategy crdt <<< '[
          {"state_key": "n", "value": 100, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "a",
           "crdt_type": "counter"},
          {"state_key": "n", "value": 150, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "b",
           "crdt_type": "counter"}]'
      """)

  @Argument(help: "A file with the versions; standard input without it.", completion: .file())
  var file: String?

  @Option(help: "lww: the newest wins. vector: causality decides. crdt: every agent contributes.")
  var strategy: StrategyName

  @Flag(
    help: """
      Read one document a line and answer each with one line: a version, or {"error": {"field": …, "detail": …}}. \
      The exit code is 2 if one line was an error.
      """)
  var lines = false

  func run() throws {
    let request = ResolveRequest(strategy: strategy.strategy)
    let input: FileHandle
    if let file {
      guard let handle = FileHandle(forReadingAtPath: file) else {
        throw fail(ResolveFault("\(file): cannot be read"))
      }
      input = handle
    } else {
      input = .standardInput
    }
    if lines { try answerEachLine(of: input, request) } else { try answerOnce(input, request) }
  }

  private func answerOnce(_ input: FileHandle, _ request: ResolveRequest) throws {
    let document = try document(from: input)
    do {
      let version = try request.answer(document)
      write(JSONWriter.text(version, style: .spaced) + "\n", to: .standardOutput)
    } catch {
      throw fail(error)
    }
  }

  /// Every line has its answer, an empty one too, so that the two can be read side by side.
  private func answerEachLine(of input: FileHandle, _ request: ResolveRequest) throws {
    var hasFailed = false
    var line: [UInt8] = []
    func answer() {
      let answer: StateValue
      do {
        answer = try request.answer(line)
      } catch {
        hasFailed = true
        answer = error.json
      }
      write(JSONWriter.text(answer, style: .spaced) + "\n", to: .standardOutput)
      line.removeAll(keepingCapacity: true)
    }
    while let chunk = try chunk(of: input) {
      var rest = chunk[...]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        line.append(contentsOf: rest[..<end])
        answer()
        rest = rest[(end + 1)...]
      }
      line.append(contentsOf: rest)
      guard line.count <= ResolveRequest.maxBytes else { throw fail(ResolveFault("a line is over the size limit")) }
    }
    if !line.isEmpty { answer() }
    if hasFailed { throw ExitCode(2) }
  }

  private func document(from input: FileHandle) throws -> [UInt8] {
    var document: [UInt8] = []
    while let chunk = try chunk(of: input) {
      document.append(contentsOf: chunk)
      // The parser's limit names the size; reading on would only cost memory.
      if document.count > ResolveRequest.maxBytes { break }
    }
    return document
  }

  /// What is there to read, as soon as there is something: a caller may wait for the answer to one line before it
  /// sends the next. Nil at the end.
  private func chunk(of input: FileHandle) throws -> [UInt8]? {
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = read(input.fileDescriptor, &chunk, chunk.count)
      if count > 0 { return Array(chunk[..<count]) }
      if count == 0 { return nil }
      guard errno == EINTR else { throw fail(ResolveFault("\(file ?? "standard input"): cannot be read")) }
    }
  }

  private func fail(_ fault: ResolveFault) -> ExitCode {
    write("moai-flow resolve: \(fault)\n", to: .standardError)
    return ExitCode(2)
  }

  private func write(_ text: String, to handle: FileHandle) {
    try? handle.write(contentsOf: Data(text.utf8))
  }
}

enum StrategyName: String, ExpressibleByArgument, CaseIterable {
  case lww, vector, crdt

  var strategy: ResolutionStrategy {
    switch self {
    case .lww: .lww
    case .vector: .vector
    case .crdt: .crdt
    }
  }
}
