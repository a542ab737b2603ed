import HTTPTypes

/// Keeps web pages out of a hub without tokens: a page of another origin, and one whose name was made to point here.
struct OriginGuard {
  private let host: String

  init(_ configuration: HubConfiguration) {
    host = configuration.host
  }

  func check(_ headers: HTTPFields, authority: String?) throws(Problem) {
    guard let authority, isLocal(authority) else {
      throw Problem(
        .forbidden, "wrong_host", "this hub answers as localhost, 127.0.0.1 or [::1], not as \(authority ?? "nobody")")
    }
    guard let origin = headers[.origin] else { return }
    guard origin == "http://\(authority)" else {
      throw Problem(.forbidden, "wrong_origin", "a page of \(origin) may not use this hub")
    }
  }

  private func isLocal(_ authority: String) -> Bool {
    // Bytes, since every request is asked.
    let bytes = authority.utf8
    let name =
      bytes.first == UInt8(ascii: "[")
      ? Substring(bytes.dropFirst().prefix { $0 != UInt8(ascii: "]") })
      : Substring(bytes.prefix { $0 != UInt8(ascii: ":") })
    return name == "127.0.0.1" || name == "localhost" || name == "::1" || name == host
  }
}
