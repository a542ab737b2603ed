// A worker that shares a counter and a map with others, in whatever language they are written:
//
//   moai-flow serve --data swarm-data &
//   swift run example-worker http://127.0.0.1:8420 ada 5 10
//
// It does 5 pieces of work, and waits until 10 are done by all together.
import Foundation
import MoaiFlow
import MoaiFlowClient

@main
struct Worker {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let pieces = Int(arguments[3]), let total = Int64(arguments[4]) else {
      print("usage: example-worker HUB NAME PIECES TOTAL")
      exit(2)
    }
    let name = arguments[2]
    let token = ProcessInfo.processInfo.environment["MOAI_FLOW_TOKEN"]
    let swarm = try HubClient(arguments[1], token: token).swarm()
    let me = try swarm.join(as: name)
    for piece in 0..<pieces {
      // Each worker puts fields of its own and increments the same counter: nobody waits, and nothing is lost. A hub that
      // is killed meanwhile only makes this take longer.
      try await me.state.put(.int(Int64(piece * piece)), field: "\(name)-\(piece)", in: "results")
      try await me.state.increment("done")
    }
    for try await _ in swarm.state.follow(since: .beginning, prefix: "done") {
      let done = try await swarm.state.read("done")?.value
      if case .int(let count)? = done, count >= total { break }
    }
    let results = try await swarm.state.read("results")?.value.objectValue?.fields.count ?? 0
    print("\(name): \(results) results")
  }
}
