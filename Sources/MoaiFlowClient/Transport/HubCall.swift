import MoaiFlow

enum HubMethod: String, Sendable {
  case get = "GET"
  case put = "PUT"
  case post = "POST"
  case delete = "DELETE"
}

/// A request as it goes to the hub, whatever it takes.
struct HubCall: Sendable {
  let method: HubMethod
  /// The segments of the path, not encoded.
  let path: [String]
  /// Those without a value are left out.
  let query: [(name: String, value: String?)]
  let body: StateValue?
  /// How much longer than others it may take.
  let wait: Duration

  init(
    _ method: HubMethod, _ path: [String], query: [(String, String?)] = [], body: StateValue? = nil,
    wait: Duration = .zero
  ) {
    self.method = method
    self.path = path
    self.query = query.map { (name: $0.0, value: $0.1) }
    self.body = body
    self.wait = wait
  }

  /// The path and query as they stand in a request line.
  var target: String {
    let items = query.compactMap { item in item.value.map { "\(item.name)=\(HubCall.encoded($0))" } }
    let path = path.map { "/" + HubCall.encoded($0) }.joined()
    return items.isEmpty ? path : path + "?" + items.joined(separator: "&")
  }

  /// RFC 3986: everything but the unreserved characters.
  private static func encoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}

/// What the hub answered.
struct HubAnswer: Sendable {
  let status: Int
  let fields: WireObject

  /// Reads the answer's fields; what this version cannot read is a failure of the engine.
  func reading<Result>(_ read: (WireObject) throws -> Result) throws(SwarmError) -> Result {
    do {
      return try read(fields)
    } catch {
      throw .engine(.failed("the hub's answer cannot be read: \(error)"))
    }
  }
}
