import Foundation
import Logging
import MoaiCRDT
import MoaiFlow
import MoaiFlowHub

/// What `serve` runs with: what the command line says, else the environment, else the file, else the default.
struct ServeSettings {
  /// What may be set, its variable, and its field in the file.
  private enum Item: String, CaseIterable {
    case data, host, port, auth
    case logLevel = "log_level"
    case heartbeat = "heartbeat_ms"
    case idleTimeout = "idle_timeout_ms"

    var variable: String { "MOAI_FLOW_\(rawValue.uppercased())" }
  }

  let data: String
  let host: String
  let port: Int
  /// The file of tokens; they are needed once it is there.
  let auth: String
  let logLevel: Logger.Level
  let heartbeat: Duration
  let idleTimeout: Duration

  /// - Parameter file: a JSON object with any of the settings.
  init(
    data: String?, host: String?, port: Int?, auth: String?, logLevel: Logger.Level?, heartbeat: Int?,
    idleTimeout: Int?, file: String?
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
    guard let folder = data ?? givenData, !folder.isEmpty else {
      throw Failure(.usage, "no data folder is named; give --data DIR or set MOAI_FLOW_DATA")
    }
    self.data = folder
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
      "data": "\(data)", "host": "\(host)", "port": "\(port)", "auth": "\(auth)", "log_level": "\(logLevel)",
      "heartbeat": "\(heartbeat)", "idle_timeout": "\(idleTimeout)",
    ]
  }
}
