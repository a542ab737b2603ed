import MoaiCRDT
import MoaiFlow

/// What one writer of the crash test does in one way: it makes its n-th write, waits for the answer, prints n, and goes
/// on with n + 1. So whatever was printed must be there, and at most one write more.
struct KillRow: Hashable, Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case counter, set, map, register
    /// A register written only if nobody wrote since.
    case conditional
    /// Two counters and a field in one entry.
    case batch
  }

  let writer: String
  let kind: Kind

  /// Makes the `number`-th write.
  func write(_ number: Int, as member: SwarmMember) async throws {
    let value = StateValue.int(Int64(number))
    switch kind {
    case .counter: try await member.state.increment(key)
    case .set: try await member.state.add(value, to: "\(key)/\(number / 100)")
    case .map: try await member.state.put(value, field: writer, in: "kill/map")
    case .register: try await member.state.set(key, to: value)
    case .conditional:
      let seen = try await member.state.read(key)?.revision ?? 0
      try await member.state.set(key, to: value, ifRevision: seen)
    case .batch:
      try await member.state.perform([
        WriteRequest(try StateKey(key + "/a"), .operations([.increment(1)])),
        WriteRequest(try StateKey("kill/batches"), .operations([.put(field: UTF8String(writer), value)])),
        WriteRequest(try StateKey(key + "/b"), .operations([.increment(1)])),
      ])
    }
  }

  /// How many of the row's writes are in the swarm, or what is wrong with them.
  func found(in swarm: Swarm) async throws -> Result<Int, KillFailure> {
    switch kind {
    case .counter, .register, .conditional: return .success(try await number(swarm, key))
    case .map: return .success(number(try await swarm.state.read("kill/map")?.value[writer]))
    case .set: return try await foundElements(in: swarm)
    case .batch:
      let (a, b) = (try await number(swarm, key + "/a"), try await number(swarm, key + "/b"))
      let field = number(try await swarm.state.read("kill/batches")?.value[writer])
      guard a == b, b == field else {
        return .failure(KillFailure(reason: "\(self): an entry was split, its keys say \(a), \(field) and \(b)"))
      }
      return .success(a)
    }
  }

  private func foundElements(in swarm: Swarm) async throws -> Result<Int, KillFailure> {
    var elements: [StateValue] = []
    var part = 0
    while case .array(let some)? = try await swarm.state.read("\(key)/\(part)")?.value {
      elements += some
      part += 1
    }
    let expected = (1..<elements.count + 1).map { StateValue.int(Int64($0)) }
    guard Set(elements) == Set(expected) else {
      return .failure(KillFailure(reason: "\(self): \(elements.count) elements with a gap among them"))
    }
    return .success(elements.count)
  }

  private var key: String { "kill/\(kind.rawValue)/\(writer)" }

  private func number(_ swarm: Swarm, _ key: String) async throws -> Int {
    number(try await swarm.state.read(key)?.value)
  }

  private func number(_ value: StateValue?) -> Int {
    if case .int(let number)? = value { Int(number) } else { 0 }
  }
}

extension KillRow: CustomStringConvertible {
  var description: String { "\(writer) \(kind.rawValue)" }

  /// Reads ``description`` back.
  init?(_ fields: some Collection<Substring>) {
    guard fields.count == 2, let writer = fields.first,
      let kind = fields.dropFirst().first.flatMap({ Kind(rawValue: String($0)) })
    else { return nil }
    self.init(writer: String(writer), kind: kind)
  }

  static func all(writers: Int) -> [KillRow] {
    (1...writers).flatMap { number in Kind.allCases.map { KillRow(writer: "child-\(number)", kind: $0) } }
  }
}

/// What makes a round of the crash test wrong, or say nothing.
struct KillFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}
