import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite(.patience) struct ConcurrencyTests {
  static let writers = 16
  static let operations = 1_000

  /// Runs the writers at once, each with its name and number.
  private func run(
    _ swarm: Swarm, _ body: @escaping @Sendable (StateSynchronizer, Int) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<Self.writers {
        let member = try await swarm.join(as: "writer-\(number)")
        group.addTask { try await body(member.state, number) }
      }
      try await group.waitForAll()
    }
  }

  @Test("§4.2 16 writers × 1,000 increments: the total is exact, live and replayed")
  func counters() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await run(swarm) { state, number in
      for step in 0..<Self.operations { try await state.increment("c", by: step % 3 == 0 ? -1 : Int64(number)) }
    }
    let minuses = (0..<Self.operations).count { $0 % 3 == 0 }
    let expected = (0..<Self.writers).reduce(0) { $0 + $1 * (Self.operations - minuses) - minuses }
    #expect(try await swarm.value("c") == .int(Int64(expected)))
    #expect(await (try await bench.open()).fingerprint == swarm.fingerprint)
  }

  @Test("§4.2 16 writers × 1,000 adds and removes: everybody's elements are there, nobody else's are gone")
  func sets() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await run(swarm) { state, number in
      for step in 0..<Self.operations {
        let element = StateValue.int(Int64(number * 1_000_000 + step / 2))
        if step % 2 == 0 { try await state.add(element, to: "s") }
        if step % 4 == 1 { try await state.remove(element, from: "s") }
      }
    }
    var expected: [StateValue] = []
    for number in 0..<Self.writers {
      for step in stride(from: 2, to: Self.operations, by: 4) {
        expected.append(.int(Int64(number * 1_000_000 + step / 2)))
      }
    }
    #expect(try await swarm.value("s") == .array(expected.sorted()))
  }

  @Test("§4.2 16 writers × 1,000 puts into one map: nobody's field is lost")
  func maps() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await run(swarm) { state, number in
      for step in 0..<Self.operations {
        try await state.put(.int(Int64(step)), field: "f-\(number)-\(step % 10)", in: "m")
      }
    }
    guard case .object(let object)? = try await swarm.value("m") else {
      Issue.record("no map")
      return
    }
    #expect(object.count == Self.writers * 10)
    for field in object.fields {
      let last = try #require(field.name.string.last?.wholeNumberValue)
      #expect(field.value == .int(Int64(990 + last)))
    }
  }

  @Test("§4.5 16 writers × 1,000 conditional writes: every success saw the value before it")
  func conditionalRegisters() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await swarm.join(as: "first").state.set("r", to: 0)
    let successes = TestTime()
    try await run(swarm) { state, _ in
      for _ in 0..<Self.operations {
        guard let reading = try await state.read("r"), case .int(let number) = reading.value else { return }
        do {
          try await state.set("r", to: .int(number + 1), ifRevision: reading.revision)
          _ = successes.next()
        } catch SwarmError.refused(.state(let refusal)) {
          guard case .conditionFailed = refusal else { throw SwarmError.refused(.state(refusal)) }
        }
      }
    }
    let reading = try #require(try await swarm.state.read("r"))
    #expect(reading.value == .int(successes.now))
    #expect(reading.version == successes.now + 1)
    #expect(successes.now > 0)
  }

  @Test("§4.2 16 writers × 1,000 assignments: the last entry is shown")
  func registers() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await run(swarm) { state, number in
      for step in 0..<Self.operations { try await state.set("r", to: [.int(Int64(number)), .int(Int64(step))]) }
    }
    let reading = try #require(try await swarm.state.read("r"))
    #expect(reading.revision == Revision(Self.writers * Self.operations))
    let last = try Entry(decoding: try #require(try await bench.entries().last).payload)
    #expect(last.author == reading.agent)
    #expect(reading.version == reading.revision)
  }

  @Test("§5.4 readers, listings and passes beside 16 writers see consistent states")
  func readersBesideWriters() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.feedCapacity = 64 }
    let writers = Task {
      try await run(swarm) { state, number in
        for step in 0..<200 {
          // Two keys in one entry: every reader sees both or neither.
          let pair = try ["left", "right"].map { WriteRequest(try StateKey($0), .operations([.increment(1)])) }
          try await state.perform(pair)
          if step % 10 == 0 { _ = try await state.keys(includingValues: true) }
        }
      }
      try await swarm.close()
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var mirror = StateMirror()
          var isClosed = false
          while !isClosed {
            isClosed = await swarm.stopped != nil
            var start = mirror.start
            while true {
              let page = try await swarm.state.changes(ChangesQuery(since: start, limit: 1))
              try mirror.apply(page)
              guard let next = page.next else { break }
              start = .page(next)
            }
            #expect(mirror.values[try StateKey("left")] == mirror.values[try StateKey("right")])
          }
        }
        group.addTask {
          var mirror = StateMirror()
          for try await batch in swarm.state.follow(since: .beginning) {
            try mirror.apply(batch)
            if batch.cursor != nil {
              #expect(mirror.values[try StateKey("left")] == mirror.values[try StateKey("right")])
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try await writers.value
    #expect(try await swarm.value("left") == 3_200)
  }
}
