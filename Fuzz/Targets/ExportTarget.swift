import MoaiCRDT
import MoaiFlow

/// The reader of export files.
///
/// An input that begins with a brace is a file. Any other is made of entries, as the target `entry` has them, of which
/// an export is written with all its hashes, so that what is made up gets behind them: the reader must take exactly what
/// the swarm could apply.
package enum ExportTarget: FuzzTarget {
  package static let name = "export"
  package static let words = [
    "\"format\":\"moai-flow-export\"", "\"version\":1", "\"epoch\":\"000000000000000e\"", "\"head\":", "\"revision\":",
    "\"appended_at\":", "\"payload\":", "\"hash\":", "\"chain\":", "\"count\":", "\"end\":true", "\"swarm\":",
  ]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    if input.first == UInt8(ascii: "{") {
      guard let entries = try? read(input) else { return false }
      return try checkWriting(entries.map(\.payload))
    }
    var parts = InputParts(input)
    var payloads: [[UInt8]] = []
    while !parts.isAtEnd {
      _ = parts.byte()
      payloads.append(parts.part())
    }
    return try checkWriting(payloads)
  }

  /// - Returns: whether the entries can be applied.
  private static func checkWriting(_ payloads: [[UInt8]]) throws(Finding) -> Bool {
    var state = SwarmState(epoch: SampleSwarm.epoch)
    var entries: [JournalEntry] = []
    var isReadable = true
    for payload in payloads {
      isReadable = isReadable && (try? state.apply(bytes: payload, at: 1_000)) != nil
      entries.append(JournalEntry(revision: Revision(entries.count) + 1, appendedAt: 1_000, payload: payload))
    }
    let file = self.file(entries, chain: state.chain)
    do {
      let read = try read(file)
      try Finding.unless(isReadable, "an export with an entry that does not decode is read")
      try Finding.unless(read == entries, "an export is read as something else")
    } catch let finding as Finding {
      throw finding
    } catch {
      try Finding.unless(!isReadable, "an export is refused: \(error)")
    }
    return isReadable
  }

  private static func read(_ file: [UInt8]) throws -> [JournalEntry] {
    var reader = ExportReader()
    for line in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      try reader.take(Array(line))
    }
    return try reader.finish()
  }

  private static func file(_ entries: [JournalEntry], chain: UInt64) -> [UInt8] {
    var writer = ExportWriter(swarm: .default, epoch: SampleSwarm.epoch, head: Revision(entries.count))
    var lines = [writer.header]
    for entry in entries { lines.append(writer.line(for: entry)) }
    lines.append(writer.trailer(chain: chain))
    return Array(lines.map { JSONWriter.bytes($0) }.joined(separator: [UInt8(ascii: "\n")]))
  }

  package static func seeds() async throws -> [[UInt8]] {
    let sample = try await SampleSwarm()
    let state = try SwarmState(epoch: SampleSwarm.epoch).applying(Array(sample.entries.prefix(2)))
    return [
      file([], chain: SampleSwarm.epoch.rawValue), file(Array(sample.entries.prefix(2)), chain: state.chain),
      file(sample.entries, chain: sample.state.chain), EntryTarget.input(sample.entries.prefix(3)),
      EntryTarget.input(sample.entries),
    ]
  }
}
