import Foundation

/// Standard output and standard error as commands use them.
///
/// What is printed depends on whether a person reads it: tables and colours on a terminal, tab-separated fields without
/// decoration in a pipe.
enum Terminal {
  /// Whether standard output goes to a person.
  static let isInteractive = isatty(STDOUT_FILENO) == 1

  /// Colours: on a terminal only, and not if `NO_COLOR` is set (no-color.org).
  static let hasColour: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isInteractive && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }()

  /// Columns that a line may take: the terminal's, or 80.
  static let width: Int = {
    var size = winsize()
    guard isInteractive, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 80 }
    return Int(size.ws_col)
  }()

  /// Writes a line to standard output at once.
  ///
  /// - Throws: ``Failure`` if it cannot be written (the disk that it goes to is full).
  static func write(_ line: String) throws(Failure) {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    } catch {
      throw Failure(.engine, "standard output cannot be written: \(error.localizedDescription)")
    }
  }

  /// One line on standard error, whatever the text holds.
  static func writeError(_ message: String) {
    try? FileHandle.standardError.write(contentsOf: Data((oneLine(message) + "\n").utf8))
  }

  /// What a person should know beside the result; it stays out of a pipe.
  static func note(_ text: String) {
    writeError(text)
  }

  static func dimmed(_ text: String) -> String {
    hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text
  }

  static func bold(_ text: String) -> String {
    hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }

  /// Line feeds as spaces, other control characters as `\u{…}`.
  private static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": line += " "
      case _ where scalar.properties.generalCategory == .control:
        line += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
