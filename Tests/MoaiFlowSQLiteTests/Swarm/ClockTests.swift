import MoaiCRDT
import MoaiFlowSQLite
import Synchronization
import Testing

@testable import MoaiFlow

/// A machine's clock that is set back, or far ahead and back again, over a real file.
@Suite struct ClockTests {
  @Test("§1.6 a clock that is set back: times of writes still follow their revisions, over openings and replays")
  func clockSetBack() async throws {
    try await withFolder { folder in
      let clock = Clock()
      let source = SQLiteStore.Sources(
        now: { clock.now.load(ordering: .relaxed) }, newEpoch: { Epoch(.random(in: 1 ... .max)) })
      var timestamps: [Timestamp] = []
      // An hour back, a day ahead, back again, to 1970, and on.
      for jump: Int64 in [0, -3_600_000, 86_400_000, -90_000_000, -1_699_900_000_000, 1_000] {
        clock.now.wrappingAdd(jump, ordering: .relaxed)
        let store = try await SQLiteStore(folder: folder, sources: source)
        let swarm = try await Swarm.open(in: store)
        let alice = try await swarm.join(as: "alice")
        for number in 0..<3 {
          try await alice.state.set("k", to: .int(Int64(timestamps.count)))
          let reading = try #require(try await swarm.state.read("k"))
          #expect(reading.value == .int(Int64(timestamps.count)), "write \(number) after a jump of \(jump) ms")
          timestamps.append(reading.timestamp)
        }
        let chain = await swarm.core.chain
        try await swarm.close()
        var replayed = SwarmState(epoch: swarm.epoch)
        try await replayed.replay(try await store.open(.default))
        #expect(replayed.chain == chain)
        try await store.close()
      }
      #expect(timestamps == timestamps.sorted())
      #expect(Set(timestamps).count == timestamps.count)
    }
  }
}

private final class Clock: Sendable {
  let now = Atomic<Int64>(1_700_000_000_000)
}
