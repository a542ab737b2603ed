public import MoaiCRDT

/// Why a name was refused.
public struct NameError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What the name was for: "agent", "swarm", "key".
  public let kind: String
  public let problem: String

  public var description: String { "\(kind): \(problem)" }
}

/// A named participant (rule §1.1): `[A-Za-z0-9._-]{1,128}`, not `.` or `..`, and none of the reserved names
/// `coordinator`, `journal`, `operator`, `*`.
public struct AgentID: Hashable, Sendable, CustomStringConvertible {
  public let name: UTF8String

  public init(_ name: String) throws(NameError) {
    guard !AgentID.reserved.contains(UTF8String(name)) else {
      throw NameError(kind: "agent", problem: "\"\(name)\" is reserved")
    }
    try self.init(wellFormed: name)
  }

  /// A name that an entry may carry as its author: an agent's, or one of the reserved names that the system writes as.
  package init(author name: String) throws(NameError) {
    if AgentID.systemAuthors.contains(UTF8String(name)) {
      self.init(reserved: UTF8String(name))
      return
    }
    try self.init(wellFormed: name)
  }

  private init(wellFormed name: String) throws(NameError) {
    guard !name.isEmpty else { throw NameError(kind: "agent", problem: "the name is empty") }
    guard name.utf8.count <= 128 else {
      throw NameError(kind: "agent", problem: "the name has \(name.utf8.count) bytes, at most 128")
    }
    guard name != ".", name != ".." else { throw NameError(kind: "agent", problem: "\"\(name)\" is not allowed") }
    guard name.utf8.allSatisfy(AgentID.isAllowed) else {
      throw NameError(kind: "agent", problem: "\"\(printable(name))\" has a character other than A-Z a-z 0-9 . _ -")
    }
    self.name = UTF8String(name)
  }

  /// Who writes for the system: full sync.
  package static let coordinator = AgentID(reserved: "coordinator")
  /// Who writes for the system: time and failures.
  package static let journal = AgentID(reserved: "journal")
  /// Who writes where no agent is named: settings, operations.
  public static let `operator` = AgentID(reserved: "operator")

  private init(reserved name: UTF8String) {
    self.name = name
  }

  private static let reserved: Set<UTF8String> = ["coordinator", "journal", "operator", "*"]
  private static let systemAuthors: Set<UTF8String> = ["coordinator", "journal", "operator"]

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  public var description: String { name.string }
}

extension AgentID: Comparable {
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

/// The name of a swarm (rule §1.1): `[a-z0-9][a-z0-9_-]{0,62}`.
public struct SwarmName: Hashable, Sendable, CustomStringConvertible {
  public let name: UTF8String

  public init(_ name: String) throws(NameError) {
    guard !name.isEmpty else { throw NameError(kind: "swarm", problem: "the name is empty") }
    guard name.utf8.count <= 63 else {
      throw NameError(kind: "swarm", problem: "the name has \(name.utf8.count) bytes, at most 63")
    }
    var isFirst = true
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
      case UInt8(ascii: "_"), UInt8(ascii: "-"):
        if isFirst {
          throw NameError(kind: "swarm", problem: "\"\(name)\" must begin with a letter a-z or a digit")
        }
      default:
        throw NameError(kind: "swarm", problem: "\"\(printable(name))\" has a character other than a-z 0-9 _ -")
      }
      isFirst = false
    }
    self.name = UTF8String(name)
  }

  /// The swarm that exists in every new folder.
  public static let `default` = SwarmName(trusted: "default")

  private init(trusted name: UTF8String) {
    self.name = name
  }

  public var description: String { name.string }
}

extension SwarmName: Comparable {
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

/// The name of a shared value (rule §1.1): 1 to 512 bytes of UTF-8 without control characters, not `.` or `..`.
public struct StateKey: Hashable, Sendable, CustomStringConvertible {
  public let name: UTF8String

  public init(_ name: String) throws(NameError) {
    let bytes = name.utf8.count
    guard bytes > 0 else { throw NameError(kind: "key", problem: "the key is empty") }
    guard bytes <= 512 else { throw NameError(kind: "key", problem: "the key has \(bytes) bytes, at most 512") }
    guard name != ".", name != ".." else { throw NameError(kind: "key", problem: "\"\(name)\" is not allowed") }
    guard !name.utf8.hasControlCharacter else {
      throw NameError(kind: "key", problem: "\"\(printable(name))\" has a control character")
    }
    self.name = UTF8String(name)
  }

  public var description: String { name.string }
}

extension StateKey: Comparable {
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

extension String.UTF8View {
  /// Whether a control character (C0, DEL or C1) is among the bytes. Looked up by bytes: names are checked for every
  /// entry that is decoded.
  fileprivate var hasControlCharacter: Bool {
    var afterC2 = false
    for byte in self {
      if byte < 0x20 || byte == 0x7F || afterC2 && byte < 0xA0 { return true }
      afterC2 = byte == 0xC2
    }
    return false
  }
}

/// Text for an error message: control characters escaped, at most 60 characters.
private func printable(_ text: String) -> String {
  var shown = ""
  for scalar in text.unicodeScalars.prefix(60) {
    if scalar.properties.generalCategory == .control {
      shown += "\\u{" + String(scalar.value, radix: 16) + "}"
    } else {
      shown.unicodeScalars.append(scalar)
    }
  }
  return text.unicodeScalars.count > 60 ? shown + "…" : shown
}
