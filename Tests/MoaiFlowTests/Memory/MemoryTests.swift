import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The memory: a view over state, with volatile entries beside it.
@Suite(.patience) struct MemoryTests {
  @Test("an entry is the register under memory/NAMESPACE/KEY, and state sees it")
  func isAViewOverState() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    let stored = try #require(try await alice.memory.store([1, "two"], as: "notes/1", in: "research"))
    #expect(stored.agent == alice.agent && stored.isPersistent && stored.record?.revision == 1)
    #expect(try await swarm.state.read("memory/research/notes/1")?.value == [1, "two"])
    #expect(try await swarm.state.read("memory/research/notes/1")?.type == .register)
    try await alice.state.set("memory/research/q", to: "why?")
    #expect(try await swarm.memory.retrieve("q", from: "research")?.value == "why?")
    #expect(try await swarm.memory.list("research").entries.map(\.name.key) == ["notes/1", "q"])
    #expect(try await swarm.memory.retrieve("q", from: "other") == nil)
  }

  @Test("storing replaces a whole value, object or array, and the last store wins")
  func storingReplaces() async throws {
    let swarm = try await SwarmBench().open()
    let memory = try await swarm.join(as: "alice").memory
    for value in [["a": 1, "b": 2], ["b": 3], [1, 2], [2]] as [StateValue] {
      try await memory.store(value, as: "k", in: "n")
      #expect(try await memory.retrieve("k", from: "n")?.value == value)
    }
    try await swarm.join(as: "bob").memory.store("bob's", as: "k", in: "n")
    #expect(try await memory.retrieve("k", from: "n")?.value == "bob's")
  }

  @Test("volatile entries stay out of the journal, hide persistent ones, and end with the process")
  func volatileEntries() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let memory = try await swarm.join(as: "alice").memory
    try await memory.store("kept", as: "k", in: "n")
    let revision = try await swarm.status().revision
    try await memory.store("passing", as: "k", in: "n", isPersistent: false)
    try await memory.store("alone", as: "v", in: "n", isPersistent: false)
    #expect(try await swarm.status().revision == revision)
    #expect(try await memory.retrieve("k", from: "n")?.value == "passing")
    #expect(try await memory.list("n").entries.map(\.isPersistent) == [false, false])
    #expect(try await swarm.state.read("memory/n/k")?.value == "kept")
    #expect(try await memory.store("kept again", as: "k", in: "n")?.isPersistent == true)
    #expect(try await memory.retrieve("k", from: "n")?.value == "kept again")
    try await swarm.close()
    let reopened = try await bench.open()
    #expect(try await reopened.memory.list("n").entries.map(\.value) == ["kept again"])
  }

  @Test("a volatile entry that does not fit is refused, and what stood there stays")
  func volatileLimits() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open {
      $0.volatileMemory.entries = 2
      $0.volatileMemory.bytes = 60
    }
    let memory = try await swarm.join(as: "alice").memory
    func store(_ key: String, _ value: StateValue) async throws {
      try await memory.store(value, as: key, in: "n", isPersistent: false)
    }
    try await store("a", "1")
    try await store("b", "2")
    await #expect(throws: SwarmError.memoryFull("2 volatile entries are stored, at most so many fit")) {
      try await store("c", "3")
    }
    let long = StateValue.string(UTF8String(String(repeating: "x", count: 60)))
    await #expect(throws: SwarmError.memoryFull("the volatile entries would take 85 bytes, at most 60 fit")) {
      try await store("a", long)
    }
    #expect(try await memory.retrieve("a", from: "n")?.value == "1")
    #expect(try await memory.delete("a", from: "n"))
    try await store("c", "3")
    #expect(try await memory.list("n").entries.map(\.name.key) == ["b", "c"])
  }

  @Test(
    "names that make no state key are refused with the field",
    arguments: [
      ("", "k", "/namespace"), ("a/b", "k", "/namespace"), ("n\n", "k", "/namespace"), ("n", "", "/key"),
      ("n", "\u{7F}", "/key"),
    ])
  func badNames(namespace: String, key: String, field: String) async throws {
    let memory = try await SwarmBench().open().join(as: "alice").memory
    for isPersistent in [true, false] {
      await #expect { try await memory.store(1, as: key, in: namespace, isPersistent: isPersistent) } throws: {
        if case .invalid(let named, _)? = $0 as? SwarmError { named == field } else { false }
      }
    }
    await #expect { try await memory.retrieve(key, from: namespace) } throws: {
      if case .invalid(let named, _)? = $0 as? SwarmError { named == field } else { false }
    }
  }

  @Test("§1.1 the longest names: 512 bytes for memory/NAMESPACE/KEY together")
  func longestNames() async throws {
    let memory = try await SwarmBench().open().join(as: "alice").memory
    let namespace = String(repeating: "n", count: 100)
    let fits = String(repeating: "k", count: 512 - 7 - 101)
    try await memory.store(1, as: fits, in: namespace)
    #expect(try await memory.retrieve(fits, from: namespace)?.value == 1)
    await #expect(throws: SwarmError.self) { try await memory.store(1, as: fits + "k", in: namespace) }
  }

  @Test("a key that another type holds is refused and keeps its value")
  func anotherType() async throws {
    let alice = try await SwarmBench().open().join(as: "alice")
    try await alice.state.add(1, to: "memory/n/k")
    await #expect { try await alice.memory.store(2, as: "k", in: "n") } throws: {
      if case .refused(.state(.typeMismatch))? = $0 as? SwarmError { true } else { false }
    }
    #expect(try await alice.memory.retrieve("k", from: "n")?.value == [1])
  }

  @Test("clearing takes more entries than one journal entry holds, and no other namespace's")
  func clearing() async throws {
    let alice = try await SwarmBench().open().join(as: "alice")
    for start in stride(from: 0, to: 2_500, by: 500) {
      try await alice.state.perform(
        (start..<start + 500).map { WriteRequest(try StateKey("memory/n/\($0)"), .value(.int(Int64($0)))) })
    }
    try await alice.memory.store(1, as: "k", in: "n2")
    try await alice.memory.store(1, as: "passing", in: "n", isPersistent: false)
    #expect(try await alice.memory.clear("n") == 2_501)
    #expect(try await alice.memory.list("n").entries.isEmpty)
    #expect(try await alice.memory.list("n2").entries.count == 1)
    #expect(try await alice.memory.clear("n") == 0)
  }

  @Test(
    "agrees with a dictionary on random runs: store, delete, clear, pages of every pattern, statistics",
    arguments: 0..<20)
  func agreesWithADictionary(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let memory = try await SwarmBench().open().join(as: "alice").memory
    let namespaces = ["n", "n2", "m"]
    let keys = ["a", "a/b", "a/c", "ab", "b", "b/b", "é", "*"]
    var stored: [String: [String: StateValue]] = [:]
    var passing: [String: [String: StateValue]] = [:]
    for step in 0..<120 {
      let namespace = namespaces[random.below(3)]
      let key = keys[random.below(keys.count)]
      switch random.below(10) {
      case 0..<4:
        try await memory.store(.int(Int64(step)), as: key, in: namespace)
        stored[namespace, default: [:]][key] = .int(Int64(step))
        passing[namespace]?[key] = nil
      case 4..<6:
        try await memory.store(.int(Int64(step)), as: key, in: namespace, isPersistent: false)
        passing[namespace, default: [:]][key] = .int(Int64(step))
      case 6..<8:
        let was = stored[namespace]?[key] != nil || passing[namespace]?[key] != nil
        #expect(try await memory.delete(key, from: namespace) == was)
        stored[namespace]?[key] = nil
        passing[namespace]?[key] = nil
      case 8 where step % 7 == 0:
        let names = Set(stored[namespace, default: [:]].keys).union(passing[namespace, default: [:]].keys)
        #expect(try await memory.clear(namespace) == names.count)
        stored[namespace] = nil
        passing[namespace] = nil
      default:
        let shown = stored[namespace, default: [:]].merging(passing[namespace, default: [:]]) { $1 }
        let pattern = ["*", "a*", "*b", "a/*", "*/*", "a"][random.below(6)]
        let expected = shown.filter { GlobPattern(pattern).matches(UTF8String($0.key)) }
          .sorted { UTF8String($0.key) < UTF8String($1.key) }
        var found: [MemoryEntry] = []
        var after: String?
        repeat {
          let page = try await memory.list(namespace, matching: pattern, after: after, limit: 1 + random.below(3))
          found += page.entries
          after = page.next?.string
        } while after != nil
        #expect(found.map(\.name.key.string) == expected.map(\.key))
        #expect(found.map(\.value) == expected.map(\.value))
      }
    }
    for entry in try await memory.statistics().namespaces {
      let name = entry.name.string
      #expect(entry.persistentEntries == stored[name, default: [:]].count)
      #expect(entry.volatileEntries == passing[name, default: [:]].count)
      #expect(entry.persistentBytes == stored[name, default: [:]].values.reduce(0) { $0 + $1.encodedSize })
    }
  }
}
