import HTTPTypes
import Logging
import MoaiFlow
import Synchronization

/// Tells who calls, by the token that a request carries.
///
/// Tokens are needed once their file is there. From then on a hub that cannot read it lets nobody in.
final class AccessControl: Sendable {
  private enum Tokens {
    /// Nobody needs one.
    case notNeeded
    case needed([TokenID: AccessToken])
  }

  private struct Contents {
    var tokens = Tokens.needed([:])
    var stamp: FileStamp?
    var rates: [TokenID: RequestRate] = [:]
  }

  private let file: TokenFile?
  /// Whether others than this machine reach the hub, so that it is never open.
  private let isExposed: Bool
  private let requestsPerSecond: Int
  private let logger: Logger
  private let contents = Mutex(Contents())

  /// - Throws: if the file cannot be read, or nothing protects an address that others reach.
  init(_ configuration: HubConfiguration, logger: Logger) throws(HubConfigurationError) {
    file = configuration.tokens
    isExposed = !configuration.isLoopback
    requestsPerSecond = configuration.requestsPerSecond
    self.logger = logger
    let tokens: [AccessToken]?
    do { tokens = try file?.read() } catch { throw HubConfigurationError("\(error)") }
    guard !isExposed || tokens != nil else {
      throw HubConfigurationError(
        "\(configuration.host) can be reached from other machines, and no token was made; make one with 'moai-flow token create --role admin', or listen on 127.0.0.1"
      )
    }
    contents.withLock { contents in
      contents.stamp = file?.stamp
      contents.tokens = tokens.map { AccessControl.needed($0) } ?? .notNeeded
    }
  }

  private static func needed(_ tokens: [AccessToken]) -> Tokens {
    .needed(Dictionary(tokens.map { ($0.id, $0) }, uniquingKeysWith: { $1 }))
  }

  /// Whether whoever reaches the hub may do everything.
  var isOpen: Bool {
    contents.withLock { contents in
      if case .notNeeded = contents.tokens { true } else { false }
    }
  }

  /// Who sends a request.
  ///
  /// - Throws: 401 for a token that is none, or no longer; 429 for one that asks too much.
  func caller(of headers: HTTPFields, now: Int64) throws(Problem) -> Caller {
    // Who shows a token to an open hub may have made its first one a moment ago.
    if isOpen, headers[.authorization] != nil { refresh() }
    if isOpen { return .anybody }
    guard let field = headers[.authorization] else { return .stranger }
    let parts = field.split(separator: " ")
    guard parts.count == 2, parts[0].lowercased() == "bearer", let secret = TokenSecret(parts[1]) else {
      throw .unauthorized("Authorization is not of the form: Bearer moai_…")
    }
    guard let token = token(secret.id), secret.matches(token.hash) else {
      throw .unauthorized("there is no such token; it may have been revoked")
    }
    guard token.isValid(at: now) else { throw .unauthorized("the token has expired") }
    if let wait = take(from: token, now: now) {
      var problem = Problem(
        .tooManyRequests, "rate_limited",
        "the token makes more than \(token.requestsPerSecond ?? requestsPerSecond) requests a second")
      problem.retryAfter = wait
      throw problem
    }
    return .bearer(token)
  }

  private func token(_ id: TokenID) -> AccessToken? {
    if let token = known(id) { return token }
    // It may have been made a moment ago.
    refresh()
    return known(id)
  }

  private func known(_ id: TokenID) -> AccessToken? {
    contents.withLock { contents in
      guard case .needed(let tokens) = contents.tokens else { return nil }
      return tokens[id]
    }
  }

  private func take(from token: AccessToken, now: Int64) -> Int? {
    let perSecond = token.requestsPerSecond ?? requestsPerSecond
    return contents.withLock { contents in
      contents.rates[token.id, default: RequestRate(perSecond: perSecond, now: now)].take(now: now)
    }
  }

  /// Reads the file again if it has changed.
  func refresh() {
    guard let file else { return }
    let stamp = file.stamp
    guard contents.withLock({ $0.stamp != stamp }) else { return }
    let tokens: Tokens
    do {
      let read = try file.read()
      if read == nil, isExposed {
        logger.error("the token file is gone; nobody is let in", metadata: ["file": "\(file.path)"])
        tokens = .needed([:])
      } else {
        tokens = read.map { AccessControl.needed($0) } ?? .notNeeded
        logger.notice("tokens were read", metadata: ["file": "\(file.path)", "count": "\(read?.count ?? 0)"])
      }
    } catch {
      logger.error("the tokens cannot be read; nobody is let in", metadata: ["error": "\(error)"])
      tokens = .needed([:])
    }
    contents.withLock { contents in
      contents.stamp = stamp
      contents.tokens = tokens
      guard case .needed(let known) = tokens else { return contents.rates = [:] }
      contents.rates = contents.rates.filter { known[$0.key] != nil }
    }
  }

  /// Whether a stream that a caller opened may go on.
  func stillAllows(_ caller: Caller, now: Int64) -> Bool {
    switch (caller, contents.withLock { $0.tokens }) {
    case (.anybody, .notNeeded): true
    case (.anybody, .needed), (.stranger, _): false
    case (.bearer, .notNeeded): true
    case (.bearer(let token), .needed(let tokens)): tokens[token.id] != nil && token.isValid(at: now)
    }
  }

  /// Every token, by id; nil: none are needed.
  var tokens: [AccessToken]? {
    refresh()
    return contents.withLock { contents in
      guard case .needed(let tokens) = contents.tokens else { return nil }
      return tokens.values.sorted { $0.id < $1.id }
    }
  }

  func create(_ grant: TokenGrant, now: Int64) throws(Problem) -> (token: AccessToken, secret: TokenSecret) {
    try changing { file throws(HubFileError) in try file.create(grant, now: now) }
  }

  func revoke(_ id: TokenID) throws(Problem) -> Bool {
    try changing { file throws(HubFileError) in try file.revoke(id) }
  }

  private func changing<Result>(_ body: (TokenFile) throws(HubFileError) -> Result) throws(Problem) -> Result {
    guard let file else { throw Problem(.conflict, "no_tokens", "this hub was started without a token file") }
    let result: Result
    do { result = try body(file) } catch { throw Problem(.serviceUnavailable, "engine_failed", error.description) }
    refresh()
    return result
  }
}
