import MoaiCRDT

/// Every lattice, with elements of both kinds. The second byte of an input says which one.
///
/// One state in the input: it has these very bytes, keeps its invariants, and merging it with itself or with what it
/// lacks of itself changes nothing. Two states: merging them traps never, and what comes out can be written and read.
package enum LatticeTarget: FuzzTarget {
  package static let name = "lattice"

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    guard input.count >= 2, let kind = LatticeKind(rawValue: input[1]) else { return false }
    switch kind {
    case .counter:
      return try check(PNCounter.self, input) != nil
    case .lastWriterRegister:
      let isText = try check(LWWRegister<UTF8String>.self, input) != nil
      return try check(LWWRegister<Int64>.self, input) != nil || isText
    case .multiValueRegister:
      let isText = try checkCausal(MVRegister<UTF8String>.self, input)
      return try checkCausal(MVRegister<Int64>.self, input) || isText
    case .addWinsSet:
      let isText = try checkCausal(ORSet<UTF8String>.self, input)
      return try checkCausal(ORSet<Int64>.self, input) || isText
    case .addWinsMap:
      let isRegisters = try checkCausal(ORMap<UTF8String, DotFun<UTF8String>>.self, input)
      let isFlags = try checkCausal(ORMap<Int64, DotSet>.self, input)
      let isNested = try checkCausal(ORMap<UTF8String, DotMap<UTF8String, DotFun<Int64>>>.self, input)
      return isRegisters || isFlags || isNested
    case .lastWriterMap:
      let isText = try checkCausal(LWWMap<UTF8String, UTF8String>.self, input)
      return try checkCausal(LWWMap<Int64, Int64>.self, input) || isText
    }
  }

  private static func checkCausal<State: BinaryLattice & CausalLattice>(
    _ type: State.Type, _ input: [UInt8]
  ) throws(Finding) -> Bool {
    guard let state = try check(type, input) else { return false }
    try Finding.unless(state.merging(state.delta(since: CausalContext())) == state, "\(type): its own delta is news")
    try Finding.unless(State().merging(state.delta(since: State().context)) == state, "\(type): the delta lacks some")
    return true
  }

  private static func check<State: BinaryLattice>(_ type: State.Type, _ input: [UInt8]) throws(Finding) -> State? {
    var reader = ByteReader(input)
    guard let state = try? State(from: &reader) else { return nil }
    try checkState(state, bytes: Array(input[..<reader.offset]))
    let offset = reader.offset
    guard let other = try? State(from: &reader) else { return state }
    try checkState(other, bytes: Array(input[offset..<reader.offset]))
    for joined in [state.merging(other), other.merging(state)] { try checkState(joined, bytes: joined.encoded()) }
    return state
  }

  private static func checkState<State: BinaryLattice>(_ state: State, bytes: [UInt8]) throws(Finding) {
    let broken = state.checkInvariants()
    try Finding.unless(broken.isEmpty, "\(State.self): \(broken)")
    try Finding.unless(state.encoded() == bytes, "\(State.self): a second spelling of \(state.encoded())")
    try Finding.unless((try? State(decoding: bytes)) == state, "\(State.self): reads something else the second time")
    try Finding.unless(state.merging(state) == state, "\(State.self): merging it with itself changes it")
  }

  package static func seeds() throws -> [[UInt8]] {
    let laptop = ReplicaID(0x11)
    let server = ReplicaID(0x2222_2222_2222_2222)
    func time(_ milliseconds: Int64, _ logical: UInt16 = 0) -> Timestamp {
      Timestamp(milliseconds: 1_700_000_000_000 + milliseconds, logical: logical)
    }

    var counter = PNCounter()
    try counter.add(300, by: laptop)
    try counter.add(-7, by: laptop)
    try counter.add(.max - 1_000, by: server)
    var word = LWWRegister<UTF8String>()
    word.assign("caf\u{E9}", at: time(0, 3), by: laptop)
    var number = LWWRegister<Int64>()
    number.assign(-5, at: time(1), by: server)

    var values = MVRegister<UTF8String>()
    values.assign("one", dot: Dot(laptop, 1))
    var elsewhere = MVRegister<UTF8String>()
    elsewhere.assign("once", dot: Dot(server, 4))
    values.merge(elsewhere)
    var numbers = MVRegister<Int64>()
    numbers.assign(7, dot: Dot(laptop, .max))

    var names = ORSet<UTF8String>()
    for (index, name) in ["task-1", "task-2", "task-27", "task-3"].enumerated() {
      names.insert(UTF8String(name), dot: Dot(index == 2 ? server : laptop, UInt64(index) + 1))
    }
    names.remove("task-1")
    var counts = ORSet<Int64>()
    for count in 1...12 { counts.insert(Int64(count * count), dot: Dot(laptop, UInt64(count) * 3)) }

    var map = ORMap<UTF8String, DotFun<UTF8String>>()
    map.put("red", forKey: "colour", dot: Dot(laptop, 1))
    var other = map
    other.put("reddish", forKey: "colour", dot: Dot(server, 1))
    map.put("round", forKey: "shape", dot: Dot(laptop, 2))
    map.merge(other)
    typealias Inner = DotMap<UTF8String, DotFun<Int64>>
    var nested = ORMap<UTF8String, Inner>()
    for (index, field) in ["width", "height"].enumerated() {
      let dot = Dot(laptop, UInt64(index) + 1)
      nested.update("box") { _ in
        Causal(store: Inner(UTF8String(field), DotFun(dot, Int64(index))), context: CausalContext([dot]))
      }
    }

    var settings = LWWMap<UTF8String, UTF8String>()
    settings.put("dark", forKey: "theme", at: time(0), dot: Dot(laptop, 1))
    settings.put("12", forKey: "size", at: time(5, 9), dot: Dot(server, 2))
    settings.remove("theme", at: time(9), dot: Dot(server, 3))
    var table = LWWMap<Int64, Int64>()
    for key in 1...10 {
      table.put(Int64(key), forKey: -Int64(key), at: time(Int64(key)), dot: Dot(laptop, UInt64(key)))
    }

    return [
      PNCounter().encoded(), counter.encoded(), LWWRegister<Int64>().encoded(), word.encoded(), number.encoded(),
      values.encoded(), elsewhere.encoded(), numbers.encoded(), names.encoded(), counts.encoded(), map.encoded(),
      nested.encoded(), settings.encoded(), table.encoded(), elsewhere.encoded() + values.encoded(),
      other.encoded() + map.encoded(), names.encoded() + names.encoded(),
    ]
  }
}
