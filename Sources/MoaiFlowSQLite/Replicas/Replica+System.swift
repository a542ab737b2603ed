import Foundation
import MoaiCRDT
public import MoaiFlow

extension Replica.Sources {
  /// The machine's clock and random generator.
  public static let system = Replica.Sources(
    now: { Int64(Date().timeIntervalSince1970 * 1000) },
    newID: { ReplicaID(UInt64.random(in: .min ... .max)) })
}
