/// What is wrong with a JSON text that has the syntax right and the meaning wrong: a field that is missing, unknown, or
/// of the wrong kind.
public struct WireError: Error, Hashable, Sendable {
  /// The field that is to blame; the root for the whole text.
  public let field: JSONPointer
  public let problem: String

  public init(_ field: JSONPointer, _ problem: String) {
    self.field = field
    self.problem = problem
  }
}

extension WireError: CustomStringConvertible {
  public var description: String { field.isRoot ? problem : "\(field): \(problem)" }
}
