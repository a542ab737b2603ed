import Foundation
import HTTPTypes
import Hummingbird
import MoaiFlow
import NIOCore

/// A copy of the store on its way to who asked for it: written beside the store, handed out, and removed.
enum BackupFile {
  private static let prefix = "hub-backup-"
  private static let chunk = 256 << 10

  static func make(_ hub: HubContext) async throws -> HubResponse {
    let path = folder(hub.configuration) + "/" + prefix + UUID().uuidString + ".sqlite"
    try await hub.swarms.backup(to: path)
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw Problem(.internalServerError, "internal", "the copy is gone")
    }
    // Whoever holds it open can still read it, and nothing is left whatever happens.
    try? FileManager.default.removeItem(atPath: path)
    let stamp = hub.now()
    var response = HubResponse(
      body: .file(
        ResponseBody { writer in
          while let part = try file.read(upToCount: chunk), !part.isEmpty {
            try await writer.write(ByteBuffer(bytes: part))
          }
          try file.close()
          try await writer.finish(nil)
        }, type: "application/vnd.sqlite3"))
    response.headers[.contentDisposition] = "attachment; filename=\"moai-flow-\(stamp).sqlite\""
    return response
  }

  /// Copies that a killed hub left behind.
  static func removeLeftovers(_ configuration: HubConfiguration) {
    let folder = folder(configuration)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix(prefix) {
      try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
  }

  private static func folder(_ configuration: HubConfiguration) -> String {
    configuration.scratchFolder ?? FileManager.default.temporaryDirectory.path
  }
}
