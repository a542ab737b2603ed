import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct GlobPatternTests {
  @Test(
    "§4.1 a star matches any run, slashes included; everything else matches itself",
    arguments: [
      ("*", "", true), ("*", "a/b", true), ("", "", true), ("", "a", false), ("a", "a", true), ("a", "ab", false),
      ("a*", "a", true), ("a*", "a/b/c", true), ("a*", "ba", false), ("*a", "a", true), ("*a", "b/a", true),
      ("*a", "ab", false), ("a*a", "a", false), ("a*a", "aa", true), ("a*a", "aba", true), ("a*b*c", "abc", true),
      ("a*b*c", "acb", false), ("a**b", "ab", true), ("**", "x", true), ("a/*/b", "a/x/y/b", true),
      ("a/*/b", "a//b", true), ("a/*/b", "a/b", false), ("*ab*ab", "ab", false), ("*ab*ab", "abab", true),
      ("a?c", "abc", false), ("a?c", "a?c", true), ("[ab]", "a", false), ("[ab]", "[ab]", true),
      ("\u{E9}*", "\u{E9}x", true), ("\u{E9}*", "e\u{301}x", false), ("A*", "a", false),
    ])
  func matching(pattern: String, name: String, isMatch: Bool) {
    #expect(GlobPattern(pattern).matches(UTF8String(name)) == isMatch)
  }

  @Test("§4.1 patterns agree with a matcher that tries every split")
  func agreesWithTheNaiveMatcher() {
    func naive(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      if first == UInt8(ascii: "*") {
        return (name.startIndex...name.endIndex).contains { naive(pattern.dropFirst(), name[$0...]) }
      }
      return name.first == first && naive(pattern.dropFirst(), name.dropFirst())
    }
    var random = SplitMix64(seed: 3)
    func text(_ alphabet: [String], _ length: Int) -> String {
      (0..<random.below(length)).map { _ in alphabet[random.below(alphabet.count)] }.joined()
    }
    for _ in 0..<20_000 {
      let pattern = text(["a", "b", "*", "/"], 8)
      let name = text(["a", "b", "/"], 10)
      #expect(
        GlobPattern(pattern).matches(UTF8String(name)) == naive(Array(pattern.utf8)[...], Array(name.utf8)[...]),
        "\(pattern) on \(name)")
    }
  }
}
