import MoaiCRDT
import MoaiFlowTesting

@testable import MoaiFlow

/// A swarm and replicas of it, with a clock that the test moves and ids that count up.
struct ReplicaBench {
  let swarmBench: SwarmBench
  let ids = TestTime()

  init() async throws {
    swarmBench = try await SwarmBench()
  }

  var time: TestTime { swarmBench.time }

  var sources: Replica.Sources {
    let (time, ids) = (time, ids)
    return Replica.Sources(now: { time.now }, newID: { ReplicaID(0x1000 + UInt64(ids.next())) })
  }

  func replica(_ agent: String, in store: any ReplicaStore = InMemoryReplicaStore()) async throws -> Replica {
    try await Replica.open(as: agent, in: store, sources: sources)
  }
}

extension Replica {
  func value(_ key: String) throws -> StateValue? { try read(key)?.value }

  /// All that it shows.
  var values: [StateKey: StateValue] {
    Dictionary(uniqueKeysWithValues: keys().compactMap { key in state.view(of: key).reading().map { (key, $0.value) } })
  }

  var fingerprint: ReplicaFingerprint {
    ReplicaFingerprint(
      id: state.id, next: state.next, hash: state.lastHash, cursor: state.mirror.cursor, values: values,
      log: state.log.map(\.hash), unsent: state.unsent.count, overlay: state.overlay.encoded(),
      rights: state.rights, kept: state.kept)
  }
}

struct ReplicaFingerprint: Equatable {
  let id: ReplicaID
  let next: UInt64
  let hash: UInt64
  let cursor: Cursor?
  let values: [StateKey: StateValue]
  let log: [UInt64]
  let unsent: Int
  let overlay: [UInt8]
  let rights: [StateKey: CounterRight]
  let kept: [KeptDelta]
}

extension Swarm {
  /// All keys with their values.
  func values() async throws -> [StateKey: StateValue] {
    var values: [StateKey: StateValue] = [:]
    var after: String?
    repeat {
      let page = try await state.keys(after: after, limit: 1_000, includingValues: true)
      for key in page.keys { values[key.key] = key.value }
      after = page.next?.name.string
    } while after != nil
    return values
  }
}
