import HTTPTypes
import MoaiFlow

/// Who makes a request, and what he may do.
enum Caller: Sendable {
  /// Nobody in particular: the hub needs no tokens, and whoever reaches it may do everything.
  case anybody
  /// Somebody without a token, at an operation that needs none.
  case stranger
  case bearer(AccessToken)

  var token: AccessToken? { if case .bearer(let token) = self { token } else { nil } }

  func require(_ permission: Permission) throws(Problem) {
    switch self {
    case .anybody: return
    case .stranger:
      guard permission == .none else { throw .unauthorized("this hub needs a token: Authorization: Bearer moai_…") }
    case .bearer(let token):
      guard permission.isGiven(to: token.role) else {
        throw Problem(.forbidden, "forbidden", "the role \(token.role.rawValue) may not do this")
      }
    }
  }

  /// - Parameter swarm: nil: all of them.
  func require(_ swarm: SwarmName?) throws(Problem) {
    guard let token, let own = token.swarm, own != swarm else { return }
    throw Problem(.forbidden, "forbidden", "the token is for the swarm \(own)")
  }

  func sees(_ swarm: SwarmName) -> Bool {
    switch self {
    case .anybody: true
    case .stranger: false
    case .bearer(let token): token.swarm.map { $0 == swarm } ?? true
    }
  }

  /// Who writes: whom the request names, else whom the token stands for; nil: nobody.
  func author(named: AgentID?) throws(Problem) -> Author? {
    guard let token else { return named.map { Author(agent: $0, via: nil) } }
    guard let named else { return token.agent.map { Author(agent: $0, via: nil) } }
    guard token.allows(named) else { throw Problem(.forbidden, "not_yours", "the token may not write as \(named)") }
    return Author(agent: named, via: token.role == .host && named != token.agent ? token.agent : nil)
  }

  /// The same where nobody needs to be named: the operator, if the caller may do what he may.
  func author(orOperator named: AgentID?) throws(Problem) -> Author {
    if named == nil, token.map({ $0.role == .admin }) ?? true { return .operator }
    guard let author = try author(named: named) else {
      throw .invalid("/agent_id", "is missing: the token stands for several agents")
    }
    return author
  }
}

/// Whose name an entry bears.
struct Author: Sendable {
  let agent: AgentID
  /// The host that acts for the agent.
  let via: AgentID?

  static let `operator` = Author(agent: .operator, via: nil)
}

extension Problem {
  static func unauthorized(_ detail: String) -> Problem {
    var problem = Problem(.unauthorized, "unauthorized", detail)
    problem.challenge = "Bearer realm=\"moai-flow\""
    return problem
  }
}
