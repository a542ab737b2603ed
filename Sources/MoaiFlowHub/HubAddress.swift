import Foundation
import MoaiCRDT
import MoaiFlow

/// Where the hub of a data folder can be reached, as it says itself in a file there:
/// `{"url": "http://127.0.0.1:8420", "id": "…"}`.
///
/// A hub that was killed leaves the file behind, so whoever reads it asks the address for the id.
public struct HubAddress: Sendable {
  private let path: String

  public init(folder: String) {
    path = folder + "/hub.json"
  }

  public func write(_ url: String, id: String) throws(HubFileError) {
    let json: StateValue = ["url": StateValue(url), "id": StateValue(id)]
    try PrivateFile.write(JSONWriter.bytes(json, style: .spaced) + [UInt8(ascii: "\n")], to: path)
  }

  public func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Nil: no hub has said so, or the file is no address.
  public var url: String? {
    guard let data = FileManager.default.contents(atPath: path), data.count < 4_096 else { return nil }
    return try? JSONParser().parse(Array(data))["url"]?.stringValue
  }
}
