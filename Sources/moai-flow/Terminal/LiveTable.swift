/// A table that is drawn again in its place on a terminal; in a pipe each line is printed when it is new.
struct LiveTable {
  private var drawn = 0
  private var printed: Set<String> = []

  init() {}

  mutating func show(_ table: TextTable) throws(Failure) {
    guard Terminal.isInteractive else {
      let rows = table.lines(isInteractive: false, width: Terminal.width)
      for row in rows where !printed.contains(row) { try Terminal.write(row) }
      printed = Set(rows)
      return
    }
    let lines = table.lines(isInteractive: true, width: Terminal.width)
    // Up to where it began, and everything below it away.
    let restart = drawn > 0 ? "\u{1B}[\(drawn)A\u{1B}[J" : ""
    try Terminal.write(restart + lines.joined(separator: "\n"))
    drawn = lines.count
  }
}
