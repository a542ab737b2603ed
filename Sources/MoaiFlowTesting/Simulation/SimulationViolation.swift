/// A promise that a run found broken.
package struct SimulationViolation: Sendable, Hashable, CustomStringConvertible {
  package let rule: String
  package let text: String

  package var description: String { "\(rule): \(text)" }
}
