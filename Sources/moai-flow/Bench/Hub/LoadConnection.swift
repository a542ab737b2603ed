import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A kept connection to a server on this machine, read and written by one thread that waits: the cheapest client, so that
/// what is measured is the server.
final class LoadConnection {
  let socket: Int32
  private var buffer = [UInt8](repeating: 0, count: 65_536)
  private var pending: [UInt8] = []

  init(port: Int) throws(BenchFailure) {
    #if canImport(Glibc)
      socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard socket >= 0 else { throw BenchFailure(reason: "no socket: \(String(cString: strerror(errno)))") }
    var yes: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw BenchFailure(reason: "nobody listens: \(String(cString: strerror(errno)))") }
  }

  deinit { close(socket) }

  func send(_ bytes: [UInt8]) throws(BenchFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
      guard count > 0 else { throw BenchFailure(reason: "the server closed the connection") }
      rest = rest.dropFirst(count)
    }
  }

  /// Reads one answer whose length its head names; returns the status.
  func answer() throws(BenchFailure) -> Int {
    while true {
      if let end = LoadConnection.headEnd(pending) {
        guard let status = LoadConnection.number(in: pending[9..<12]) else {
          throw BenchFailure(reason: String(decoding: pending[..<end], as: UTF8.self))
        }
        let length = LoadConnection.contentLength(in: pending[..<end])
        while pending.count < end + length { try fill() }
        pending.removeFirst(end + length)
        return status
      }
      try fill()
    }
  }

  /// Reads whatever is there until the text has come.
  func wait(for text: String) throws(BenchFailure) {
    while true {
      if String(decoding: pending, as: UTF8.self).contains(text) {
        pending.removeAll(keepingCapacity: true)
        return
      }
      try fill()
    }
  }

  private func fill() throws(BenchFailure) {
    let count = recv(socket, &buffer, buffer.count, 0)
    guard count > 0 else { throw BenchFailure(reason: "the server said nothing more") }
    pending += buffer[..<count]
  }

  /// Where the body begins, once the head is there.
  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    for end in bytes.indices where bytes[end] == 10 && end >= 3 {
      if bytes[end - 1] == 13, bytes[end - 2] == 10, bytes[end - 3] == 13 { return end + 1 }
    }
    return nil
  }

  private static let contentLength = Array("\ncontent-length: ".utf8)

  /// The length of the body that a head names; 0 without one.
  private static func contentLength(in head: ArraySlice<UInt8>) -> Int {
    var matched = 0
    for index in head.indices {
      let byte = 65...90 ~= head[index] ? head[index] | 32 : head[index]
      matched = byte == contentLength[matched] ? matched + 1 : (byte == contentLength[0] ? 1 : 0)
      if matched == contentLength.count { return number(in: head[(index + 1)...].prefix { 48...57 ~= $0 }) ?? 0 }
    }
    return 0
  }

  private static func number(in digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty else { return nil }
    var number = 0
    for digit in digits {
      guard 48...57 ~= digit else { return nil }
      number = number * 10 + Int(digit) - 48
    }
    return number
  }

  /// A request as it goes over the wire.
  static func request(_ method: String, _ path: String, _ body: String? = nil, accept: String? = nil) -> [UInt8] {
    var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if let accept { text += "Accept: \(accept)\r\n" }
    if let body { text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n" }
    return Array((text + "\r\n" + (body ?? "")).utf8)
  }
}
