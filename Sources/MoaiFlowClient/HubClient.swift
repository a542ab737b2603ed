import Foundation
import MoaiCRDT
public import MoaiFlow

/// A hub as programs in other processes and on other machines use it.
///
///     let hub = try HubClient("http://127.0.0.1:8420", token: token)
///     let alice = try await hub.swarm("research").join(as: "alice")
///     try await alice.state.increment("requests", by: 3)
///
/// What fails on the way is tried again, for as long as ``HubClientOptions/patience`` says; a write carries a command id, so
/// it is done once however often it is sent. One client serves a whole program.
public struct HubClient: Sendable {
  let transport: HubTransport

  /// - Parameters:
  ///   - url: where the hub listens: `http://host:port`.
  ///   - token: for a hub that needs one.
  /// - Throws: `.invalid` for what is no address.
  public init(_ url: String, token: String? = nil, options: HubClientOptions = HubClientOptions()) throws(SwarmError) {
    guard let parsed = URL(string: url), let scheme = parsed.scheme, scheme == "http" || scheme == "https",
      let host = parsed.host(), !host.isEmpty
    else { throw .invalid(field: "/hub", "\(url) is no address; it has the form http://127.0.0.1:8420") }
    transport = HubTransport(
      base: url.hasSuffix("/") ? String(url.dropLast()) : url, token: token, options: options)
  }

  /// What went to the hub and came back in requests so far; streams are not counted.
  public var traffic: HubTraffic { transport.traffic }

  /// A swarm of the hub. Nothing is asked yet: one that is not there is refused at the first use.
  public func swarm(_ name: SwarmName) -> HubSwarm { HubSwarm(name: name, transport: transport) }

  /// A swarm of the hub, named by a text from outside.
  public func swarm(_ name: String = "default") throws(SwarmError) -> HubSwarm {
    do { return swarm(try SwarmName(name)) } catch { throw .invalid(field: "/swarm", error.problem) }
  }

  /// The hub's swarms, in the order of their names.
  public func swarms() async throws(SwarmError) -> [SwarmName] {
    var names: [SwarmName] = []
    var after: String?
    repeat {
      let answer = try await transport.read(
        HubCall(.get, ["v1", "swarms"], query: [("limit", "1000"), ("after", after)]))
      for swarm in try answer.reading({
        try $0.list("swarms") { fields throws(WireError) in try SwarmName(answer: fields) }
      }) { names.append(swarm) }
      after = answer.fields.optional("next")?.stringValue
    } while after != nil
    return names
  }

  /// Makes a swarm, or replaces the settings of one; nil leaves them as they are.
  public func createSwarm(
    _ name: SwarmName, settings: SwarmSettings? = nil
  ) async throws(SwarmError) -> SwarmStatus {
    let answer = try await transport.write(
      HubCall(.put, ["v1", "swarms", name.description], body: settings?.json), id: transport.newID())
    return try answer.reading { try SwarmStatus(answer: $0) }
  }

  /// Deletes a swarm with all its history.
  public func deleteSwarm(_ name: SwarmName) async throws(SwarmError) {
    _ = try await transport.write(HubCall(.delete, ["v1", "swarms", name.description]), id: transport.newID())
  }
}

extension SwarmName {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    guard let name = try fields.name("swarm", { text throws(NameError) in try SwarmName(text) }) else {
      throw fields.missing("swarm")
    }
    self = name
  }
}

/// Bytes of bodies, without headers.
public struct HubTraffic: Sendable, Hashable {
  public let sent: Int
  public let received: Int
}

/// How patient a client is.
public struct HubClientOptions: Sendable {
  /// How long a request is tried again that does not get through. Raising it rides out longer restarts of a hub; a caller
  /// waits as long.
  public var patience = Duration.seconds(30)
  /// How long one attempt may take, beside what a read waits for a revision.
  public var timeout = Duration.seconds(30)
  /// The first pause between two attempts; it doubles each time. Every pause is cut by chance, so that many clients do not
  /// come back at once.
  public var firstPause = Duration.milliseconds(50)
  public var longestPause = Duration.seconds(2)
  /// A stream on which nothing comes for so long is dead, and is opened again. A hub says every 15 s that it lives; one with
  /// a longer `--heartbeat-ms` needs a longer silence here.
  public var silence = Duration.seconds(50)
  /// What one request waits for a revision at most, below the minute that a hub allows; a longer wait takes several.
  package var longestWait = Duration.seconds(30)

  public init() {}
}
