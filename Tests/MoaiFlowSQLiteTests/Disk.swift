import Foundation

/// A disk of 8 MiB in memory, which root may mount where that is allowed; elsewhere these tests are skipped.
struct Disk {
  let folder: String
  /// A file that takes half of the space.
  var ballast: String { folder + "/ballast" }

  static let isAvailable: Bool = {
    guard geteuid() == 0, let disk = try? Disk() else { return false }
    disk.unmount()
    return true
  }()

  static func with(_ body: (Disk) async throws -> Void) async throws {
    let disk = try Disk()
    defer { disk.unmount() }
    try Data(repeating: 0, count: 4 << 20).write(to: URL(filePath: disk.ballast))
    try await body(disk)
  }

  private init() throws {
    folder = NSTemporaryDirectory() + "/moaiflow-disk-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    do {
      try Disk.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder)
    } catch {
      try? FileManager.default.removeItem(atPath: folder)
      throw error
    }
  }

  func makeReadOnly() throws {
    try Disk.run("mount", "-o", "remount,ro", folder)
  }

  func unmount() {
    try? Disk.run("umount", folder)
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func run(_ command: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
  }
}
