import MoaiFlow
import Testing

/// The texts in which clients keep their places.
@Suite struct CursorTests {
  @Test(
    "§5.3 a cursor that is read has this very text",
    arguments: ["000000000000000e-12", "ffffffffffffffff-0", "0123456789abcdef-140737488355327"])
  func cursorsRoundTrip(text: String) throws {
    #expect(try #require(Cursor(text)).description == text)
  }

  @Test(
    "§5.3 any other spelling of a cursor is none",
    arguments: [
      ("a leading zero", "000000000000000e-012"), ("a capital digit", "000000000000000E-12"),
      ("too few digits", "e-12"), ("a sign", "000000000000000e-+12"), ("no revision", "000000000000000e-"),
      ("a revision of 48 bits", "000000000000000e-140737488355328"), ("a space", "000000000000000e-12 "),
      ("a third part", "000000000000000e-1-2"),
    ])
  func otherSpellingsAreRefused(name: String, text: String) {
    #expect(Cursor(text) == nil)
    #expect(RevisionReference(text) == nil)
  }

  @Test(
    "§5.3 a page token that is read has this very text",
    arguments: ["000000000000000e-3-5-9-s", "0000000000000000-0-0-0-d"])
  func pageTokensRoundTrip(text: String) throws {
    #expect(try #require(PageToken(text)).description == text)
  }

  @Test(
    "§5.3 any other spelling of a page token is none",
    arguments: [
      ("a leading zero", "000000000000000e-3-0005-9-s"), ("a capital digit", "000000000000000E-3-5-9-s"),
      ("no kind of page", "000000000000000e-3-5-9-x"), ("a part too few", "000000000000000e-3-5-s"),
    ])
  func otherTokensAreRefused(name: String, text: String) {
    #expect(PageToken(text) == nil)
  }
}
