import MoaiCRDT
import MoaiFlow

/// An explanation in words: the answer to "why is this value what it is?".
struct ExplanationText {
  private let explanation: KeyExplanation
  private let part: KeyExplanation.Part?
  /// Losses that are told one by one; of the others only the number.
  private static let told = 3

  init(_ explanation: KeyExplanation, asking part: KeyExplanation.Part?) {
    self.explanation = explanation
    self.part = part
  }

  func lines(width: Int) -> [String] {
    var text = Paragraphs(width: width)
    addHead(to: &text)
    if explanation.type == .counter, explanation.reading != nil {
      addShares(to: &text)
    } else {
      for reason in explanation.parts where explanation.reading != nil { add(reason, to: &text) }
    }
    let left = explanation.partCount - explanation.parts.count + explanation.shareCount - explanation.shares.count
    if left > 0 { text.add("… and \(left.grouped) more; --limit shows more of them", indentation: 0, isDim: true) }
    return text.lines
  }

  // MARK: The key

  private func addHead(to text: inout Paragraphs) {
    let key = Terminal.bold(explanation.key.description)
    guard let reading = explanation.reading else {
      text.add("\(key) is not there.", indentation: 0)
      if let deleted = explanation.deleted { text.add("deleted by \(words(deleted))", indentation: 2, isDim: true) }
      return
    }
    text.add("\(key) is \(kind(of: reading)).", indentation: 0)
    text.add(
      "\(reading.version == 1 ? "1 entry has" : "\(reading.version.grouped) entries have") changed it, the last at "
        + "revision \(reading.revision)", indentation: 2, isDim: true)
    if let created = explanation.created { text.add("created by \(words(created))", indentation: 2, isDim: true) }
    if let deleted = explanation.deleted {
      let times =
        explanation.deletions == 1 ? "before that it was deleted" : "it was deleted \(explanation.deletions) times"
      text.add("\(times), last by \(words(deleted))", indentation: 2, isDim: true)
    }
  }

  private func kind(of reading: StateReading) -> String {
    let count = explanation.partCount
    return switch reading.type {
    case .counter: "a counter: \(Terminal.bold(JSONWriter.text(reading.value)))"
    case .register: "a register"
    case .set where part == nil: "a set of \(count.grouped) \(count == 1 ? "element" : "elements")"
    case .map where part == nil: "a map of \(count.grouped) \(count == 1 ? "field" : "fields")"
    case .set: "a set"
    case .map: "a map"
    }
  }

  // MARK: Counters

  private func addShares(to text: inout Paragraphs) {
    text.add("")
    text.add("It is the sum of what each agent has added:", indentation: 0)
    for share in explanation.shares {
      text.add(
        "\(Terminal.bold(signed(share.share))) by \(share.agent), in \(share.entries.grouped) "
          + (share.entries == 1 ? "entry" : "entries"), indentation: 2)
      let steps = share.last.map { step in
        let amount = "\(signed(step.amount)) at revision \(step.author.revision)"
        return step.isRewind ? "\(amount) (a rewind by \(step.author.agent))" : amount
      }
      if !steps.isEmpty { text.add("last \(steps.joined(separator: ", "))", indentation: 4, isDim: true) }
    }
  }

  private func signed(_ number: Int64) -> String {
    number < 0 ? number.grouped : "+\(number.grouped)"
  }

  // MARK: Parts

  private func add(_ reason: KeyExplanation.PartReason, to text: inout Paragraphs) {
    text.add("")
    guard let shown = reason.shown else {
      text.add("\(name(of: reason.part)) is not there.", indentation: 0)
      if reason.lost.isEmpty { text.add("nothing that can be read ever put it there", indentation: 2, isDim: true) }
      addLosses(of: reason, to: &text)
      return
    }
    switch reason.part {
    case .whole: text.add(Terminal.bold(short(shown.value)), indentation: 0)
    case .field: text.add("\(name(of: reason.part)): \(Terminal.bold(short(shown.value)))", indentation: 0)
    case .element: text.add(Terminal.bold(name(of: reason.part)), indentation: 0)
    }
    var origin = "\(verb(for: reason.part)) by \(words(shown.author))"
    if let rewind = shown.restoredBy { origin += ", brought back by the rewind at revision \(rewind)" }
    text.add(origin, indentation: 2)
    for removal in reason.survived {
      text.add(
        "stayed when \(removal.agent) removed it at revision \(removal.revision) without having seen this write",
        indentation: 2)
    }
    addLosses(of: reason, to: &text)
  }

  /// What lost, newest first: side by side with what is shown, overwritten by it, or earlier.
  private func addLosses(of reason: KeyExplanation.PartReason, to text: inout Paragraphs) {
    var earlier: [String] = []
    var told = 0
    for loss in reason.lost {
      if case .overwritten(let author) = loss.rule, author.revision != reason.shown?.author.revision {
        if earlier.count < ExplanationText.told { earlier.append(words(loss.source, of: reason.part)) }
      } else if told < ExplanationText.told {
        text.add(words(loss, of: reason), indentation: 2, isDim: true)
        told += 1
      }
    }
    let left = reason.lostCount - told - earlier.count
    if left > 0 { earlier.append("\(left.grouped) more") }
    guard let last = earlier.popLast() else { return }
    let list = earlier.isEmpty ? last : earlier.joined(separator: ", ") + " and " + last
    text.add("\(told > 0 ? "before that" : "earlier") \(list)", indentation: 2, isDim: true)
  }

  private func words(_ loss: KeyExplanation.Loss, of reason: KeyExplanation.PartReason) -> String {
    let source = words(loss.source, of: reason.part)
    switch loss.rule {
    case .earlierTime: return "beats \(source): neither had seen the other, and the later time wins"
    case .smallerName: return "beats \(source): neither had seen the other; at equal times the greater name wins"
    case .smallerValue: return "beats \(source): neither had seen the other; at equal times the greater value wins"
    case .overwritten(let author):
      guard author.agent != loss.source.author.agent else { return "over its own \(source)" }
      return "over \(source), which \(author.agent) had seen"
    case .removed(let author): return "\(source) was removed by \(author.agent) at revision \(author.revision)"
    case .rewound(let author): return "\(source) was taken back by \(author.agent) at revision \(author.revision)"
    }
  }

  private func words(_ source: KeyExplanation.Source, of part: KeyExplanation.Part) -> String {
    let author = "\(source.author.agent) (revision \(source.author.revision))"
    return if case .element = part { "the add by \(author)" } else { "\(short(source.value)) by \(author)" }
  }

  private func name(of part: KeyExplanation.Part) -> String {
    switch part {
    case .whole: "the value"
    case .field(let name): JSONWriter.text(.string(name))
    case .element(let element): short(element)
    }
  }

  private func verb(for part: KeyExplanation.Part) -> String {
    switch part {
    case .whole: "assigned"
    case .field: "put"
    case .element: "added"
    }
  }

  private func words(_ author: KeyExplanation.Author) -> String {
    "\(author.agent) at revision \(author.revision), \(author.timestamp.rfc3339)"
  }

  private func short(_ value: StateValue) -> String {
    let text = JSONWriter.text(value, style: .spaced)
    return text.count > 60 ? text.prefix(59) + "…" : text
  }
}
