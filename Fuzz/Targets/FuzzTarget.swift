/// One decoder under fuzzing: what it is fed first, and what has to hold of every input.
///
/// A target is used twice: by the fuzzer, which makes inputs for as long as it is let, and by the tests, which feed it
/// the seeds and what they make of them.
package protocol FuzzTarget {
  /// As in `make fuzz TARGET=name`.
  static var name: String { get }

  /// Words that inputs are made of; a fuzzer finds the long ones too late by itself.
  static var words: [String] { get }

  /// Real inputs, from which all others are made.
  static func seeds() async throws -> [[UInt8]]

  /// Decodes the input. That it is refused is fine; a ``Finding`` is whatever must not be. A trap is one too.
  ///
  /// - Returns: whether something was decoded, and so checked further.
  @discardableResult
  static func check(_ input: [UInt8]) throws(Finding) -> Bool
}

extension FuzzTarget {
  package static var words: [String] { [] }
}

/// What is wrong with an input.
package struct Finding: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) {
    self.description = description
  }

  static func unless(_ holds: Bool, _ description: @autoclosure () -> String) throws(Finding) {
    guard holds else { throw Finding(description()) }
  }
}

/// All of them.
package var fuzzTargets: [any FuzzTarget.Type] {
  [
    LatticeTarget.self, JSONTarget.self, ResolverTarget.self, EntryTarget.self, CheckpointTarget.self,
    ExportTarget.self, TextTarget.self, ReplicaTarget.self, AnswerTarget.self,
  ]
}
