/// By which rule versions of one key become one (section 3 of the rules).
public enum ResolutionStrategy: Sendable {
  /// The newest version wins, whole (rule §3.5). Every other write is lost: for values that are always written whole,
  /// by agents whose clocks can be trusted.
  case lww
  /// What was written in knowledge of another version replaces it; of concurrent versions the newest is shown and the
  /// others are kept as siblings (rule §3.6).
  case vector
  /// Every agent contributes its newest value, and the type says how the contributions are seen as one (rule §3.7).
  case crdt
  /// A function of the caller's own (rule §3.8).
  case custom(CustomStrategy)

  /// `lww`, `vector` or `crdt`.
  public init?(name: String) {
    switch name {
    case "lww": self = .lww
    case "vector": self = .vector
    case "crdt": self = .crdt
    default: return nil
    }
  }

  public var name: String {
    switch self {
    case .lww: "lww"
    case .vector: "vector"
    case .crdt: "crdt"
    case .custom(let strategy): strategy.name
    }
  }
}

/// A named pure function from the distinct inputs, in canonical order, to a value (rule §3.8).
///
/// The result carries the inputs, so a later join applies the function to all of them again: resolving in steps gives
/// what resolving at once gives, as long as the function depends on its argument alone.
public struct CustomStrategy: Sendable {
  /// Most distinct inputs that a result carries. More is an error: dropping some would make the result depend on the
  /// order of joins.
  public static let maxInputs = 64

  public let name: String
  let decide: @Sendable ([StateVersion]) -> StateValue

  /// `decide`: is given at least two versions, ascending by the order of rule §3.4. A value over the limits
  /// makes the resolution fail.
  public init(name: String, decide: @escaping @Sendable ([StateVersion]) -> StateValue) {
    self.name = name
    self.decide = decide
  }
}
