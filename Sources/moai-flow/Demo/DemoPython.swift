import Foundation

/// The demo's agent in Python: the standard library and `clients/python/moaiflow.py`, nothing else.
enum DemoPython {
  /// Nil: python3 or the client is not here.
  static func writer(hub: String, seconds: Double) throws -> DemoProcess? {
    guard let client, let python else { return nil }
    return try DemoProcess(
      "pythonista", python, ["-B", "-c", script, hub, "\(seconds)"], ["PYTHONPATH": client])
  }

  private static var python: URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent("python3") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// The folder of the client: below where the demo is started, or below a folder that holds this program.
  private static var client: String? {
    var places = [URL(fileURLWithPath: FileManager.default.currentDirectoryPath)]
    var folder = DemoProcess.executable.resolvingSymlinksInPath()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      places.append(folder)
    }
    return places.map { $0.appendingPathComponent("clients/python").path }
      .first { FileManager.default.fileExists(atPath: $0 + "/moaiflow.py") }
  }

  private static let script = """
    import json, sys, time
    from moaiflow import Hub

    url, seconds = sys.argv[1], float(sys.argv[2])
    name = "pythonista"
    state = Hub(url).swarm().join(name).state
    end = time.monotonic() + seconds
    increments, added, field, own, round = 0, [], None, None, 0
    while time.monotonic() < end:
        round += 1
        if round % 4 == 0:
            state.increment("demo/requests")
            increments += 1
        elif round % 4 == 1:
            added.append(f"{name}-task-{round}")
            state.add("demo/tasks", added[-1])
        elif round % 4 == 2:
            state.put("demo/config", name, round)
            field = round
        else:
            state.set(f"demo/status/{name}", round)
            own = round
    print(json.dumps({"agent": name, "increments": increments, "added": added, "field": field, "own": own,
                      "writes": round}))
    """
}
