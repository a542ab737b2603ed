import MoaiCRDT
import MoaiFlow

/// JSON for people: what fits stays on one line, the rest is indented by two.
enum PrettyJSON {
  static func text(_ value: StateValue, width: Int) -> String {
    text(value, indentation: 0, used: 0, width: width)
  }

  /// - Parameter used: columns of the line that are taken before the value.
  private static func text(_ value: StateValue, indentation: Int, used: Int, width: Int) -> String {
    let line = JSONWriter.text(value, style: .spaced)
    // One column stays free for a comma.
    if used + line.count < width { return line }
    let inner = String(repeating: " ", count: indentation + 2)
    let outer = String(repeating: " ", count: indentation)
    switch value {
    case .array(let elements) where !elements.isEmpty:
      let lines = elements.map { element in
        inner + text(element, indentation: indentation + 2, used: indentation + 2, width: width)
      }
      return "[\n" + lines.joined(separator: ",\n") + "\n\(outer)]"
    case .object(let object) where !object.isEmpty:
      let lines = object.fields.map { field in
        let name = JSONWriter.text(.string(field.name)) + ": "
        let used = indentation + 2 + name.count
        return inner + name + text(field.value, indentation: indentation + 2, used: used, width: width)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
    default: return line
    }
  }
}
