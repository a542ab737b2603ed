import Foundation
import MoaiCRDT
import MoaiFlow

extension HubClient {
  /// The hub that serves a data folder on this machine right now; nil: none does.
  ///
  /// A hub says where it is in the file `hub.json` of its folder, and by which id it knows itself. One that was killed
  /// leaves the file behind, and another hub may listen at that address since, so whoever answers there is asked for the id.
  public static func live(in folder: String, token: String? = nil) async -> HubClient? {
    guard let data = FileManager.default.contents(atPath: folder + "/hub.json"), data.count < 4_096,
      let json = try? JSONParser().parse(Array(data)), let url = json["url"]?.stringValue,
      let id = json["id"]?.stringValue
    else { return nil }
    var probing = HubClientOptions()
    probing.patience = .zero
    probing.timeout = .seconds(2)
    guard let probe = try? HubClient(url, options: probing),
      let answer = try? await probe.transport.read(HubCall(.get, ["healthz"])),
      answer.fields.optional("id")?.stringValue == id
    else { return nil }
    return try? HubClient(url, token: token)
  }
}
