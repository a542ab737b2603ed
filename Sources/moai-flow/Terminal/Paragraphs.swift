/// Text for people: each sentence on lines of its own, broken between words, the rest of a sentence indented under its
/// beginning.
struct Paragraphs {
  private let width: Int
  private(set) var lines: [String] = []

  init(width: Int) {
    self.width = width
  }

  mutating func add(_ text: String, indentation: Int = 0, isDim: Bool = false) {
    let margin = String(repeating: " ", count: indentation)
    var line = margin
    var isEmpty = true
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      if !isEmpty, line.columns + 1 + word.columns > width {
        lines.append(isDim ? Terminal.dimmed(line) : line)
        line = margin + "  "
        isEmpty = true
      }
      line += isEmpty ? String(word) : " \(word)"
      isEmpty = false
    }
    lines.append(isDim ? Terminal.dimmed(line) : line)
  }
}

extension StringProtocol {
  /// Columns on a terminal, colours aside.
  fileprivate var columns: Int {
    var count = 0
    var isEscape = false
    for character in self {
      if character == "\u{1B}" { isEscape = true }
      if !isEscape { count += 1 }
      if isEscape, character == "m" { isEscape = false }
    }
    return count
  }
}
