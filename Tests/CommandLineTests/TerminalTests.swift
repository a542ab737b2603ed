import MoaiCRDT
import MoaiFlow
import Testing

@testable import moai_flow

@Suite("what a terminal shows")
struct TerminalTests {
  @Test("a table is aligned under its heading and cut to the width; in a pipe it is fields and tabs")
  func table() {
    var table = TextTable("KEY", "VALUE")
    table.add(["long-key", "1234567890"])
    table.add(["k", ""])
    #expect(table.lines(isInteractive: true, width: 16) == ["KEY       VALUE", "long-key  12345…", "k         "])
    #expect(table.lines(isInteractive: false, width: 16) == ["long-key\t1234567890", "k\t"])
  }

  @Test("JSON that fits stays on one line, the rest is indented, and both read back as the same value")
  func prettyJSON() throws {
    let value: StateValue = ["list": [1, 2, 3], "text": "0123456789", "deep": ["a": ["b": [true, false]]]]
    #expect(PrettyJSON.text(value, width: 200) == JSONWriter.text(value, style: .spaced))
    let narrow = PrettyJSON.text(value, width: 24)
    #expect(
      narrow == """
        {
          "deep": {
            "a": {
              "b": [
                true,
                false
              ]
            }
          },
          "list": [1, 2, 3],
          "text": "0123456789"
        }
        """)
    #expect(try JSONParser().parse(narrow) == value)
  }
}
