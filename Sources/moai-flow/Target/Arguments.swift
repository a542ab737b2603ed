public import ArgumentParser
public import MoaiFlow

extension CRDTType: ExpressibleByArgument {}
extension KeyStrategy: ExpressibleByArgument {}
extension ChangeForm: ExpressibleByArgument {}

extension RevisionReference: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(argument)
  }
}

/// Where changes begin, as `--since` names it.
struct ChangesStartArgument: ExpressibleByArgument {
  let start: ChangesStart

  init?(argument: String) {
    if argument == "head" {
      start = .head
    } else if let token = PageToken(argument) {
      start = .page(token)
    } else if let reference = RevisionReference(argument) {
      start = .after(reference)
    } else {
      return nil
    }
  }
}

extension StateValue {
  /// Reads a value given as an argument; `-` is standard input.
  ///
  /// - Parameters:
  ///   - name: what the help calls the argument.
  ///   - isText: the argument is the text itself, not JSON.
  init(argument: String, named name: String, isText: Bool = false) throws(Failure) {
    let bytes =
      argument == "-" ? try InputFile(path: "-").bytes(limit: JSONLimits.default.bytes) : Array(argument.utf8)
    let source = argument == "-" ? "standard input" : name
    if isText {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.usage, "\(source): invalid UTF-8")
      }
      self.init(text)
      return
    }
    do {
      self = try JSONParser().parse(bytes)
    } catch {
      var message = "\(source) is no JSON: \(error)"
      if argument != "-" { message += "; a text needs quotes within quotes, '\"like this\"', or --string" }
      throw Failure(.usage, message)
    }
  }
}
