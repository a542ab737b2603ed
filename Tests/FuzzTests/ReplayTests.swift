import FuzzTargets
import MoaiFlowTesting
import Testing

/// The fuzzer's targets, on their seeds and on what a few thousand changes make of them. `make fuzz` goes on from there.
@Suite struct ReplayTests {
  static let names = fuzzTargets.map { $0.name }

  private func target(_ name: String) throws -> any FuzzTarget.Type {
    try #require(fuzzTargets.first { $0.name == name })
  }

  @Test("every seed is decoded, so that what is made of it is nearly right", arguments: names)
  func seedsAreDecoded(name: String) async throws {
    let target = try target(name)
    for (number, seed) in try await target.seeds().enumerated() {
      #expect(try target.check(seed), "seed \(number): \(seed)")
    }
  }

  @Test("§10.1 no damaged seed breaks anything", arguments: names)
  func damagedSeeds(name: String) async throws {
    let target = try target(name)
    let seeds = try await target.seeds()
    var damage = Damage(seeds: seeds, random: SplitMix64(seed: 3))
    var accepted = 0
    for _ in 0..<400 {
      let input = damage.next()
      do {
        if try target.check(input) { accepted += 1 }
      } catch {
        Issue.record("\(error), from \(input)")
      }
    }
    #expect(accepted > 0)
  }
}

/// Inputs that differ from a seed in a few places.
private struct Damage {
  let seeds: [[UInt8]]
  var random: SplitMix64

  mutating func next() -> [UInt8] {
    var input = seeds[random.below(seeds.count)]
    for _ in 0...random.below(2) where !input.isEmpty {
      let place = random.below(input.count)
      switch random.below(6) {
      case 0: input[place] ^= 1 << UInt8(random.below(8))
      case 1: input[place] = UInt8(random.below(256))
      case 2: input.remove(at: place)
      case 3: input.insert(UInt8(random.below(4)), at: place)
      case 4: input.replaceSubrange(place..., with: seeds[random.below(seeds.count)].suffix(input.count - place))
      default: input[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
      }
    }
    return input
  }
}
