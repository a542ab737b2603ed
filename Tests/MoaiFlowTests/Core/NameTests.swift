import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite struct NameTests {
  static let nfc = "caf\u{E9}"
  static let nfd = "cafe\u{301}"

  @Test(
    "§1.1 names of agents that are allowed",
    arguments: ["a", "Z", "0", "-", "_", "...", ".a", "worker-1.b_C", String(repeating: "x", count: 128)])
  func agentNamesAllowed(name: String) throws {
    #expect(try AgentID(name).name.string == name)
  }

  @Test(
    "§1.1 names of agents that are refused",
    arguments: [
      "", ".", "..", "*", "coordinator", "journal", "operator", "a b", "a/b", "caf\u{E9}", "a\n", "a\0", "worker-*",
      String(repeating: "x", count: 129),
    ])
  func agentNamesRefused(name: String) {
    #expect(throws: NameError.self) { try AgentID(name) }
  }

  @Test("§1.1 the system's own names can be authors of entries, and nothing else reserved can")
  func systemAuthors() throws {
    for name in ["coordinator", "journal", "operator"] { #expect(try AgentID(author: name).name.string == name) }
    #expect(throws: NameError.self) { try AgentID(author: "*") }
  }

  @Test("§1.1 names of swarms", arguments: [("a", true), ("0-_", true), (String(repeating: "a", count: 63), true)])
  func swarmNamesAllowed(name: String, isAllowed: Bool) {
    #expect((try? SwarmName(name)) != nil)
  }

  @Test(
    "§1.1 names of swarms that are refused",
    arguments: ["", "-a", "_a", "A", "a.b", "a/b", "\u{E9}", String(repeating: "a", count: 64)])
  func swarmNamesRefused(name: String) {
    #expect(throws: NameError.self) { try SwarmName(name) }
  }

  @Test(
    "§1.1 keys that are allowed",
    arguments: ["a", "/", "...", "a/../b", "\u{E9}", "key with spaces", "*", String(repeating: "\u{E9}", count: 256)])
  func keysAllowed(name: String) throws {
    #expect(try StateKey(name).name.string.utf8.elementsEqual(name.utf8))
  }

  @Test(
    "§1.1 keys that are refused",
    arguments: ["", ".", "..", "a\u{0}", "a\nb", "\u{7F}", "\u{85}", String(repeating: "\u{E9}", count: 257)])
  func keysRefused(name: String) {
    #expect(throws: NameError.self) { try StateKey(name) }
  }

  @Test("§1.2 NFC and NFD are two keys, two fields, two elements")
  func normalFormsAreDifferentText() throws {
    #expect(Self.nfc == Self.nfd, "Swift takes them for equal, which is why the test exists")
    var harness = CoreHarness()
    try harness.write(Self.nfc, .assign(1))
    try harness.write(Self.nfd, .assign(2))
    #expect(harness.value(Self.nfc) == 1)
    #expect(harness.value(Self.nfd) == 2)

    try harness.write("map", .put(Self.nfc, 1))
    try harness.write("map", .put(Self.nfd, 2))
    let fields = [(UTF8String(Self.nfc), StateValue.int(1)), (UTF8String(Self.nfd), .int(2))]
    #expect(harness.value("map") == .object(try StateObject(fields)))
    try harness.write("map", .removeField(Self.nfc))
    #expect(harness.value("map") == .object(try StateObject([fields[1]])))

    for (first, second) in [(Self.nfc, Self.nfd), (Self.nfd, Self.nfc)] {
      let key = "set/" + first
      try harness.write(key, .add(.string(UTF8String(first))))
      try harness.write(key, .add(.string(UTF8String(second))))
      try harness.write(key, .add(.string(UTF8String(first))))
      // By bytes: "e" is less than the first byte of "é".
      #expect(harness.value(key) == .array([.string(UTF8String(Self.nfd)), .string(UTF8String(Self.nfc))]))
    }
    let replay = harness.replayed()
    #expect(replay.chain == harness.core.chain)
    #expect(replay.state.liveKeys == 5)
  }

  @Test("§1.2 agents are ordered by the bytes of their names, not by Swift's order of strings")
  func agentsAreOrderedByBytes() throws {
    let names = try ["b", "B", "a", "_", "10", "9", "-"].map { try AgentID($0) }
    #expect(names.sorted().map(\.name.string) == ["-", "10", "9", "B", "_", "a", "b"])
  }
}
