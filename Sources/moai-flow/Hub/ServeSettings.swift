import Foundation
import Logging
import MoaiCRDT
import MoaiFlow
import MoaiFlowHub

/// What `serve` runs with: what the command line says, else the environment, else the file, else the default.
struct ServeSettings {
  /// What may be set, its variable, and its field in the file.
  private enum Item: String, CaseIterable {
    case data, engine, host, port, auth, retention
    case logLevel = "log_level"
    case heartbeat = "heartbeat_ms"
    case idleTimeout = "idle_timeout_ms"

    var variable: String { "MOAI_FLOW_\(rawValue.uppercased())" }
  }

  let data: String
  /// Of swarms whose own settings let no history go.
  let retention: HistoryRetention
  let host: String
  let port: Int
  /// The file of tokens; they are needed once it is there.
  let auth: String
  let logLevel: Logger.Level
  let heartbeat: Duration
  let idleTimeout: Duration

  /// - Parameter file: a JSON object with any of the settings.
  init(
    data: String?, engine: String?, host: String?, port: Int?, auth: String?, retention: String?,
    logLevel: Logger.Level?, heartbeat: Int?, idleTimeout: Int?, file: String?
  ) throws(Failure) {
    let fields =
      try file.map { path throws(Failure) in try ServeSettings.fields(of: path) } ?? StateObject(ascending: [])
    func text(_ item: Item) throws(Failure) -> String? {
      let variable = ProcessInfo.processInfo.environment[item.variable] ?? ""
      if !variable.isEmpty { return variable }
      switch fields[item.rawValue] {
      case nil, .null?: return nil
      case .string(let text)?: return text.string
      case .int(let number)?: return "\(number)"
      default: throw Failure(.usage, "\(file ?? ""): /\(item.rawValue) must be a string or a number")
      }
    }
    let (givenData, givenHost, givenPort, givenAuth, givenLevel) = (
      try text(.data), try text(.host), try text(.port), try text(.auth), try text(.logLevel)
    )
    let (givenEngine, givenRetention) = (try text(.engine), try text(.retention))
    guard let folder = data ?? givenData, !folder.isEmpty else {
      throw Failure(.usage, "no data folder is named; give --data DIR or set MOAI_FLOW_DATA")
    }
    self.data = folder
    let engine = engine ?? givenEngine ?? "sqlite"
    guard engine == "sqlite" else {
      throw Failure(.usage, "\(engine) is no engine of this version; there is sqlite")
    }
    let history = retention ?? givenRetention ?? ServeSettings.forever
    guard let kept = ServeSettings.retention(history) else {
      throw Failure(.usage, "\(history) is no retention; name how long history stays, as 30d, 12h, 90m, or forever")
    }
    self.retention = kept
    self.auth = auth ?? givenAuth ?? TokenFile(folder: folder).path
    self.host = host ?? givenHost ?? "127.0.0.1"
    let port = port.map { "\($0)" } ?? givenPort ?? "8420"
    guard let number = Int(port), 0...65_535 ~= number else { throw Failure(.usage, "\(port) is no port") }
    self.port = number
    let level = logLevel?.rawValue ?? givenLevel ?? Logger.Level.notice.rawValue
    guard let parsed = Logger.Level(rawValue: level) else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw Failure(.usage, "\(level) is no log level; there are \(levels)")
    }
    self.logLevel = parsed
    func duration(_ given: Int?, _ item: Item, default standard: Int) throws(Failure) -> Duration {
      let chosen: String?
      if let given { chosen = "\(given)" } else { chosen = try text(item) }
      let text = chosen ?? "\(standard)"
      guard let number = Int(text), 100...86_400_000 ~= number else {
        throw Failure(.usage, "\(item.rawValue) is 100 to 86400000, not \(text)")
      }
      return .milliseconds(number)
    }
    self.heartbeat = try duration(heartbeat, .heartbeat, default: 15_000)
    self.idleTimeout = try duration(idleTimeout, .idleTimeout, default: 75_000)
  }

  private static let forever = "forever"

  private static func retention(_ text: String) -> HistoryRetention? {
    if text == forever { return HistoryRetention() }
    let units: [Character: Int64] = ["d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0 else { return nil }
    let (milliseconds, overflows) = count.multipliedReportingOverflow(by: unit)
    return overflows ? nil : HistoryRetention(milliseconds: milliseconds)
  }

  private static func fields(of path: String) throws(Failure) -> StateObject {
    let json = try InputFile(path: path).json()
    guard case .object(let object) = json else { throw Failure(.usage, "\(path): must be an object") }
    let known = Item.allCases.map(\.rawValue)
    for field in object.fields where !known.contains(field.name.string) {
      throw Failure(.usage, "\(path): there is no setting \(field.name); there are \(known.joined(separator: ", "))")
    }
    return object
  }

  /// For the log, when the hub starts.
  var metadata: Logger.Metadata {
    [
      "data": "\(data)", "host": "\(host)", "port": "\(port)",
      "auth": "\(FileManager.default.fileExists(atPath: auth) ? auth : "none needed, \(auth) is not there")",
      "log_level": "\(logLevel)",
      "heartbeat": "\(heartbeat)", "idle_timeout": "\(idleTimeout)",
      "retention": "\(retention.milliseconds.map { "\(Duration.milliseconds($0))" } ?? ServeSettings.forever)",
    ]
  }
}
