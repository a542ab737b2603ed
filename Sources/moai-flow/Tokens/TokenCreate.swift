public import ArgumentParser
import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
public import MoaiFlowHub

extension Role: ExpressibleByArgument {}

struct TokenCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a token; it is printed once, and stored nowhere.",
    discussion: """
      Roles: observer reads; agent also writes, as the agent that --as names; host writes as agents that it runs, and \
      entries name it beside them; admin may do everything. With --for, all of that in one swarm.

      Example:
        export MOAI_FLOW_TOKEN=$(moai-flow token create --role agent --as worker-1 --for research)
        moai-flow token create --role agent --as 'worker-*' --days 30
        moai-flow token create --role host --as machine-7 --covers 'machine-7-*'
      """)

  @Option(help: "What its bearer may do: observer, agent, host, admin.")
  var role: Role

  @Option(name: .customLong("as"), help: "The agent that it is for; for the role agent also a pattern, worker-*.")
  var agent: String?

  @Option(name: .customLong("for"), help: "The swarm that it is for; without it, all.")
  var swarm: String?

  @Option(help: "For the role host: the pattern of the agents that it runs (default: *).")
  var covers: String?

  @Option(help: "What to remember about it.")
  var note: String?

  @Option(help: "Days after which it ends; without it, never.")
  var days: Int64?

  @Option(help: "Requests a second at most (default: 1000).")
  var rate: Int?

  @OptionGroup var output: OutputOptions
  @OptionGroup var tokens: TokenFileOptions

  func validate() throws {
    if let days, !(1...3_650 ~= days) { throw ValidationError("--days is 1 to 3650") }
    if let rate, !(1...1_000_000 ~= rate) { throw ValidationError("--rate is 1 to 1000000") }
  }

  func run() async throws {
    let name: SwarmName?
    do { name = try swarm.map { text throws(NameError) in try SwarmName(text) } } catch {
      throw Failure(.usage, "--for: \(error.problem)")
    }
    let grant: TokenGrant
    do {
      grant = try TokenGrant(
        role: role, swarm: name, agent: agent, covers: covers, note: note, lifetime: days.map { $0 * 86_400_000 },
        requestsPerSecond: rate)
    } catch {
      let option = error.field.text == "/agent" ? "as" : String(error.field.text.dropFirst())
      throw Failure(.usage, "--\(option): \(error.problem)")
    }
    let made: StateValue
    switch try tokens.place() {
    case .hub(let hub): made = try await hub.createToken(grant.json)
    case .file(let file):
      let now = Int64(Date.now.timeIntervalSince1970 * 1_000)
      let (token, secret) = try file.create(grant, now: now)
      guard case .object(let object) = token.json else { preconditionFailure("a token is an object") }
      made = .object(object.setting("token", to: StateValue(secret.text)))
    }
    if output.json { return try output.write(made) }
    try Terminal.write(made["token"]?.stringValue ?? "")
    Terminal.note(
      "this is the only time that it is shown; 'moai-flow token revoke \(made["id"]?.stringValue ?? "")' ends it")
  }
}
