import MoaiCRDT
import MoaiFlow

/// What an agent that was away pays for 100 changes, among more and more keys that did not change.
struct ChangesBench {
  static let sizes = [1_000, 10_000, 100_000, 1_000_000]
  private static let changed = 100
  private static let samples = 25

  func run() async throws -> [BenchRow] {
    var rows: [BenchRow] = []
    var first: Double?
    for size in ChangesBench.sizes {
      let swarm = try await Swarm.forBench()
      try await swarm.fill(0..<size) { BenchKeys.value($0) }
      var mirror = try await BenchPasses.mirror(of: swarm)
      let writer = try await swarm.join(as: "writer").state
      var random = BenchRandom(seed: 10)
      var passes = BenchPasses()
      for sample in 0..<ChangesBench.samples {
        var numbers: Set<Int> = []
        while numbers.count < ChangesBench.changed { numbers.insert(random.below(size)) }
        for number in numbers.sorted() {
          try await writer.set(BenchKeys.name(number), to: StateValue(BenchKeys.value(number, sample + 1)))
        }
        try await passes.take(from: swarm, into: &mirror, changes: ChangesBench.changed)
      }
      try await passes.check(mirror, of: swarm)
      rows += passes.rows("100 changes among \(size) keys", first: first)
      first = first ?? passes.total
    }
    return rows
  }
}

/// What an agent that was away pays for 100 fields of one map, among more and more that did not change.
struct FieldsBench {
  private static let sizes = [100, 1_000, 10_000]
  private static let changed = 100
  private static let samples = 25

  func run() async throws -> [BenchRow] {
    var rows: [BenchRow] = []
    var first: Double?
    for size in FieldsBench.sizes {
      let swarm = try await Swarm.forBench()
      let writer = try await swarm.join(as: "writer").state
      let fields = (0..<size).map { (UTF8String("field-" + $0.digits(5)), StateValue("value-\($0)-0")) }
      try await writer.set("map", to: .object(try StateObject(fields)), type: .map)
      var mirror = try await BenchPasses.mirror(of: swarm)
      var random = BenchRandom(seed: 11)
      var passes = BenchPasses()
      for sample in 0..<FieldsBench.samples {
        var numbers: Set<Int> = []
        while numbers.count < FieldsBench.changed { numbers.insert(random.below(size)) }
        for number in numbers.sorted() {
          try await writer.put(
            StateValue("value-\(number)-\(sample + 1)"), field: "field-" + number.digits(5), in: "map")
        }
        try await passes.take(from: swarm, into: &mirror, changes: 1)
      }
      try await passes.check(mirror, of: swarm)
      rows += passes.rows("100 changed fields of a map of \(size)", first: first)
      first = first ?? passes.total
    }
    return rows
  }
}
