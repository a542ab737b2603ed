import Foundation

/// What the demo shows, at most 80 columns wide. On a terminal a running figure overwrites itself; elsewhere only
/// finished lines are printed. Colours only on a terminal and not with `NO_COLOR`.
final class DemoStage: Sendable {
  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private let hasColour =
    isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// Columns of a label in a scene, and in the table of checks, whose values are short.
  private static let labelWidth = 30
  private static let checkWidth = 44

  func title(_ text: String, folder: String) {
    emit("\(bold("MoaiFlow demo")): \(text)")
    emit(dim("folder \(folder)"))
  }

  func scene(_ text: String) {
    emit("")
    emit(bold(text))
  }

  /// A finished line: what, and how it came out.
  func line(_ label: String, _ value: String) {
    emit(clear + "  " + pad(label) + " " + value)
  }

  /// A line that will be overwritten; nothing where that cannot be.
  func progress(_ label: String, _ value: String) {
    guard isTerminal else { return }
    write(clear + "  " + dim(pad(label) + " " + value))
  }

  func note(_ text: String) {
    emit("  " + dim(text))
  }

  func check(_ label: String, _ found: String, isRight: Bool, expected: String) {
    let mark = isRight ? green("ok") : red("OFF")
    emit("  \(pad(label, to: DemoStage.checkWidth)) \(found)  \(mark)\(isRight ? "" : "  expected \(expected)")")
  }

  func verdict(_ text: String, isRight: Bool) {
    emit("")
    emit(isRight ? green(text) : red(text))
  }

  func failure(_ text: String) {
    FileHandle.standardError.write(Data("moai-flow demo: \(text)\n".utf8))
  }

  func hints(_ commands: [String]) {
    emit("")
    emit("Try next:")
    for command in commands { emit("  \(command)") }
  }

  private func pad(_ label: String, to width: Int = DemoStage.labelWidth) -> String {
    let missing = width - label.count
    return missing > 0 ? label + " " + String(repeating: ".", count: missing - 1) : label
  }

  private var clear: String { isTerminal ? "\r\u{1B}[2K" : "" }
  private func bold(_ text: String) -> String { hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
  private func dim(_ text: String) -> String { hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
  private func green(_ text: String) -> String { hasColour ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
  private func red(_ text: String) -> String { hasColour ? "\u{1B}[31m\(text)\u{1B}[0m" : text }

  private func emit(_ text: String) { write(text + "\n") }

  private func write(_ text: String) {
    FileHandle.standardOutput.write(Data(text.utf8))
  }
}
