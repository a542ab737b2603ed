/// Rows of texts: aligned under a heading on a terminal, the last column cut to the width; separated by tabs and without
/// heading in a pipe, so that `cut` and `awk` find what they look for.
struct TextTable {
  let heading: [String]
  private(set) var rows: [[String]] = []

  init(_ heading: String...) {
    self.heading = heading
  }

  mutating func add(_ row: [String]) {
    rows.append(row)
  }

  func write() throws(Failure) {
    for line in lines(isInteractive: Terminal.isInteractive, width: Terminal.width) { try Terminal.write(line) }
  }

  func lines(isInteractive: Bool, width: Int) -> [String] {
    guard isInteractive else { return rows.map { $0.joined(separator: "\t") } }
    let widths = heading.indices.map { column in
      ([heading] + rows).map { $0[column].count }.max() ?? 0
    }
    let aligned = ([heading] + rows).map { row in
      var line = ""
      for (column, text) in row.enumerated() {
        let isLast = column == row.count - 1
        line += isLast ? text : text.padded(to: widths[column]) + "  "
      }
      return line.cut(to: width)
    }
    return [Terminal.bold(aligned[0])] + aligned.dropFirst()
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  fileprivate func cut(to width: Int) -> String {
    count <= width ? self : prefix(width - 1) + "…"
  }
}
