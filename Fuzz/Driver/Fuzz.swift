import Foundation
import FuzzTargets

/// The program behind `make fuzz`: it lists the targets, writes their seeds into a folder, feeds files to a target, and,
/// where libFuzzer was linked, lets that make up inputs.
@main
enum Fuzz {
  static func main() async throws {
    let arguments = CommandLine.arguments
    switch (arguments.dropFirst().first, arguments.count) {
    case ("list", 2): for target in fuzzTargets { print(target.name) }
    case ("seeds", 4): try await writeSeeds(of: try target(arguments[2]), into: arguments[3])
    case ("replay", 4...): try replay(arguments[3...], on: try target(arguments[2]))
    #if LIBFUZZER
      case ("run", 3...): exit(run(try target(arguments[2]), with: [arguments[0]] + arguments[3...]))
    #endif
    default: throw Complaint("usage: fuzz list | seeds TARGET FOLDER | replay TARGET FILE… | run TARGET OPTIONS…")
    }
  }

  private static func target(_ name: String) throws -> any FuzzTarget.Type {
    guard let target = fuzzTargets.first(where: { $0.name == name }) else {
      throw Complaint("no target \(name); there are \(fuzzTargets.map { $0.name }.joined(separator: ", "))")
    }
    return target
  }

  /// Writes each seed into a file of its own, and beside the folder the dictionary `FOLDER.words`.
  private static func writeSeeds(of target: any FuzzTarget.Type, into folder: String) async throws {
    for (number, seed) in try await target.seeds().enumerated() {
      try Data(seed).write(to: URL(filePath: folder).appending(component: "seed-\(number)"))
    }
    let words = target.words.map { word in
      "\"" + word.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
    }
    try Data(words.joined().utf8).write(to: URL(filePath: folder + ".words"))
  }

  private static func replay(_ files: ArraySlice<String>, on target: any FuzzTarget.Type) throws {
    for file in files {
      let input = [UInt8](try Data(contentsOf: URL(filePath: file)))
      let start = ContinuousClock.now
      try target.check(input)
      print("\(file): \(input.count) bytes, fine, \(ContinuousClock.now - start)")
    }
  }
}

struct Complaint: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

#if LIBFUZZER
  /// What libFuzzer calls takes no context, so the target stands here. Set once, before the first call.
  nonisolated(unsafe) private var running: (any FuzzTarget.Type)?

  @_silgen_name("LLVMFuzzerRunDriver")
  private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ check: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
  ) -> CInt

  private func run(_ target: any FuzzTarget.Type, with arguments: [String]) -> CInt {
    running = target
    // On ARM a Swift trap raises SIGTRAP, which libFuzzer does not take for a crash.
    signal(SIGTRAP) { _ in abort() }
    var count = CInt(arguments.count)
    // libFuzzer keeps pointers into them until the process ends.
    let texts = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
    for (index, argument) in arguments.enumerated() { texts[index] = strdup(argument) }
    texts[arguments.count] = nil
    var list = texts
    return runFuzzer(&count, &list) { bytes, size in
      do {
        try running?.check(Array(UnsafeBufferPointer(start: bytes, count: size)))
      } catch {
        fatalError("\(error)")
      }
      return 0
    }
  }
#endif
