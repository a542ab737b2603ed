import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite("export: the reader believes nothing")
struct ExportFormatTests {
  /// An export of `count` entries, line by line.
  private func lines(_ count: Int) throws -> [[UInt8]] {
    var state = SwarmState(epoch: Epoch(5))
    var writer = ExportWriter(swarm: .default, epoch: Epoch(5), head: Revision(count))
    var lines = [JSONWriter.bytes(writer.header)]
    for number in 0..<count {
      let entry = Entry(
        author: try AgentID("a"), id: CommandID(high: 1, low: UInt64(number)), requestHash: 0,
        command: .state(
          .write([KeyWrite(key: try StateKey("k"), content: .operations([.assign(.int(Int64(number)))]))])))
      let stored = JournalEntry(revision: Revision(number + 1), appendedAt: 1_000, payload: entry.encoded())
      var hash = StableHash()
      hash.combine(bytes: stored.payload)
      _ = state.apply(entry, revision: stored.revision, appendedAt: 1_000, payloadHash: hash.finalize())
      lines.append(JSONWriter.bytes(writer.line(for: stored)))
    }
    lines.append(JSONWriter.bytes(writer.trailer(chain: state.chain)))
    return lines
  }

  private func read(_ lines: [[UInt8]]) throws -> [JournalEntry] {
    var reader = ExportReader()
    for line in lines { try reader.take(line) }
    return try reader.finish()
  }

  @Test("what was written is read")
  func roundTrip() throws {
    #expect(try read(lines(0)).isEmpty)
    #expect(try read(lines(3)).map(\.revision) == [1, 2, 3])
  }

  @Test("a changed byte anywhere is noticed")
  func anyChangedByteIsNoticed() throws {
    let lines = try lines(2)
    var generator = SplitMix64(seed: 1)
    for line in lines.indices {
      for place in lines[line].indices {
        var changed = lines
        let original = changed[line][place]
        changed[line][place] = original ^ UInt8(1 << Int.random(in: 0..<7, using: &generator))
        do {
          let entries = try read(changed)
          // The swarm's name in the header says where an export is from; nothing depends on it.
          let text = String(decoding: changed[line], as: UTF8.self)
          #expect(line == 0 && text.contains("\"swarm\":") && entries.count == 2, "\(text)")
        } catch let error as WireError {
          #expect(!error.problem.isEmpty)
        }
      }
    }
  }

  @Test("a line that is missing, there twice or in another place is noticed")
  func linesOutOfPlaceAreNoticed() throws {
    let lines = try lines(3)
    for index in lines.indices {
      var shorter = lines
      shorter.remove(at: index)
      #expect(throws: WireError.self, "without line \(index + 1)") { try read(shorter) }
      var longer = lines
      longer.insert(lines[index], at: index)
      #expect(throws: WireError.self, "line \(index + 1) twice") { try read(longer) }
      guard index > 0 else { continue }
      var swapped = lines
      swapped.swapAt(index, index - 1)
      #expect(throws: WireError.self, "lines \(index) and \(index + 1) swapped") { try read(swapped) }
    }
  }

  @Test("a chain hash that applying the entries does not give is noticed")
  func wrongChain() throws {
    var lines = try lines(2)
    var writer = ExportWriter(swarm: .default, epoch: Epoch(5), head: 2)
    for entry in try read(lines) { _ = writer.line(for: entry) }
    lines[3] = JSONWriter.bytes(writer.trailer(chain: 7))
    #expect(throws: WireError(JSONPointer("chain"), "applying the entries gives another chain hash than the swarm had"))
    {
      try read(lines)
    }
  }

  @Test("any text in place of a line is refused, never a crash")
  func garbageIsRefused() throws {
    let lines = try lines(1)
    for garbage in [
      "", "null", "[]", "{}", "{\"end\":true}", "{\"revision\":-9223372036854775808}", "\u{0}", "{\"revision\":1}",
    ] {
      for line in lines.indices {
        var changed = lines
        changed[line] = Array(garbage.utf8)
        #expect(throws: WireError.self) { try read(changed) }
      }
    }
  }
}
