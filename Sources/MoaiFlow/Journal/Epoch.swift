public import MoaiCRDT

/// The random id of a journal: new after creation, restore, import or accepted loss.
///
/// Cursors and tokens carry it, so that a revision number that is used again after a restore is never mistaken for the
/// old one. As a `ReplicaID` it is the writer of every online write.
public struct Epoch: Hashable, Sendable {
  public let rawValue: UInt64

  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }

  public var replica: ReplicaID { ReplicaID(rawValue) }
}

extension Epoch: CustomStringConvertible {
  /// Sixteen hexadecimal digits.
  public var description: String { replica.description }
}
