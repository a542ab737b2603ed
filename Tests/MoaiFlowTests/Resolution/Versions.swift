import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting

/// A version of the key `k`, short to write.
func version(
  _ value: StateValue, by agent: UTF8String = "a", _ number: Int64 = 1, at milliseconds: Int64 = 0, logical: UInt16 = 0,
  clock: [UTF8String: UInt64]? = nil, type: CRDTType? = nil, metadata: StateObject = .empty, key: String = "k"
) throws -> StateVersion {
  try StateVersion(
    key: StateKey(key), value: value, version: number,
    timestamp: Timestamp(milliseconds: milliseconds, logical: logical),
    agent: agent, vectorClock: clock.map { VectorClock($0.map { ($0.key, $0.value) }) }, crdtType: type,
    metadata: metadata)
}

func resolve(_ strategy: ResolutionStrategy, _ versions: [StateVersion]) throws -> StateVersion {
  try ConflictResolver(strategy: strategy).resolve(versions, for: "k").version
}

/// What rule §3.1 says is the same however versions were joined.
struct ResolvedFields: Hashable {
  let value: StateValue
  let agent: UTF8String
  let clock: VectorClock<UTF8String>?
  let type: CRDTType?
  let state: ResolutionState?

  init(_ version: StateVersion) {
    value = version.value
    agent = version.agent
    clock = version.vectorClock
    type = version.crdtType
    state = version.crdtState
  }
}

/// The same version after its way over the wire.
func wired(_ version: StateVersion) throws -> StateVersion {
  try StateVersion(json: JSONParser().parse(JSONWriter.bytes(version.json)))
}
