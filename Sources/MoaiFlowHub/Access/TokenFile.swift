import Foundation
import MoaiCRDT
import MoaiFlow

/// The file of a hub's tokens: `{"tokens": […]}`, readable by its owner only.
///
/// Several processes may change it at once, the command line beside a hub: each takes a lock, and puts a whole new file in
/// place. A hub looks at it every second.
public struct TokenFile: Sendable {
  public let path: String

  /// Tokens in one file at most.
  private static let limit = 10_000
  /// Bytes of the file that are read at most.
  private static let bytes = 16 << 20

  public init(path: String) {
    self.path = path
  }

  /// The file of a data folder.
  public init(folder: String) {
    path = folder + "/tokens.json"
  }

  /// The tokens; nil: there is no file, so nobody has asked for tokens to be needed.
  public func read() throws(HubFileError) -> [AccessToken]? {
    guard let data = FileManager.default.contents(atPath: path) else {
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      throw HubFileError("\(path) cannot be read")
    }
    guard data.count <= TokenFile.bytes else {
      throw HubFileError("\(path) has \(data.count) bytes; that is no token file")
    }
    do {
      let json = try JSONParser(limits: JSONLimits(bytes: TokenFile.bytes, depth: 8)).parse(Array(data))
      let file = try WireObject(json, at: .root, allowing: ["tokens"])
      var tokens: [AccessToken] = []
      for (value, place) in try file.elements("tokens") ?? [] {
        tokens.append(try AccessToken(stored: value, at: place))
      }
      return tokens
    } catch {
      throw HubFileError("\(path): \(error)")
    }
  }

  /// Makes a token; its secret is in the answer and nowhere else.
  public func create(_ grant: TokenGrant, now: Int64) throws(HubFileError) -> (token: AccessToken, secret: TokenSecret)
  {
    var generator = SystemRandomNumberGenerator()
    let secret = TokenSecret(id: TokenID(using: &generator), using: &generator)
    let token = AccessToken(
      id: secret.id, hash: secret.hash, role: grant.role, swarm: grant.swarm, agent: grant.agent, covers: grant.covers,
      note: grant.note, created: Timestamp(milliseconds: now),
      expires: grant.lifetime.map { Timestamp(milliseconds: now + $0) }, requestsPerSecond: grant.requestsPerSecond)
    try change { tokens throws(HubFileError) in
      tokens.removeAll { !$0.isValid(at: now - TokenFile.grace) }
      guard tokens.count < TokenFile.limit else {
        throw HubFileError("\(path) holds \(tokens.count) tokens, as many as it may; revoke some")
      }
      tokens.append(token)
    }
    return (token, secret)
  }

  /// How long an expired token is still listed, in milliseconds: a week.
  private static let grace: Int64 = 7 * 24 * 60 * 60 * 1_000

  /// Removes a token; returns whether there was one.
  public func revoke(_ id: TokenID) throws(HubFileError) -> Bool {
    guard try read() != nil else { return false }
    var found = false
    try change { tokens throws(HubFileError) in
      found = tokens.contains { $0.id == id }
      tokens.removeAll { $0.id == id }
    }
    return found
  }

  private func change(_ body: (inout [AccessToken]) throws(HubFileError) -> Void) throws(HubFileError) {
    let lock = try FileLock(path: path + ".lock")
    defer { lock.release() }
    var tokens = try read() ?? []
    try body(&tokens)
    let json: StateValue = ["tokens": .array(tokens.map(\.stored))]
    try PrivateFile.write(JSONWriter.bytes(json, style: .spaced) + [UInt8(ascii: "\n")], to: path)
  }

  /// What changes whenever the file does.
  var stamp: FileStamp { FileStamp(path: path) }
}
