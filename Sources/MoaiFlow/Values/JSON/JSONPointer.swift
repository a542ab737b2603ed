/// Names a value inside a JSON text (RFC 6901): `/versions/0/state_key`.
public struct JSONPointer: Hashable, Sendable {
  /// The escaped text; empty for the whole text.
  public let text: String

  private init(text: String) {
    self.text = text
  }

  /// The whole text.
  public static let root = JSONPointer(text: "")

  public init(_ field: String) {
    self = JSONPointer.root.appending(field)
  }

  public var isRoot: Bool { text.utf8.isEmpty }

  public func appending(_ field: String) -> JSONPointer {
    var escaped = text + "/"
    for scalar in field.unicodeScalars {
      switch scalar {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return JSONPointer(text: escaped)
  }

  public func appending(_ index: Int) -> JSONPointer {
    JSONPointer(text: "\(text)/\(index)")
  }

  /// The same place in a text that holds this one at `parent`.
  public func under(_ parent: JSONPointer) -> JSONPointer {
    JSONPointer(text: parent.text + text)
  }
}

extension JSONPointer: CustomStringConvertible {
  /// On one line: control characters as `\u{…}`.
  public var description: String {
    var shown = ""
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .control {
        shown += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }
}
