import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A real hub, `moai-flow serve`, on a folder and a port of its own.
final class HubProcess {
  let moai: MoaiFlowProcess
  private(set) var running: MoaiFlowProcess.Running
  private(set) var port: Int

  init(_ moai: MoaiFlowProcess, _ arguments: [String] = [], errors: FileHandle = .nullDevice) throws {
    self.moai = moai
    running = try moai.start(["serve", "--port", "0"] + arguments, errors: errors)
    port = try HubProcess.port(of: running)
  }

  convenience init() throws {
    try self.init(MoaiFlowProcess(try TemporaryFolder()))
  }

  deinit {
    if running.process.isRunning { kill(running.process.processIdentifier, SIGKILL) }
    running.process.waitUntilExit()
  }

  private static func port(of running: MoaiFlowProcess.Running) throws -> Int {
    let line = try running.nextLine()
    let address = try #require(line.firstMatch(of: /^listening on http:\/\/127\.0\.0\.1:([0-9]+)$/), "\(line)")
    return try #require(Int(address.1))
  }

  /// Kills it without warning, and starts it again on the same folder; it listens on another port then.
  func killAndRestart() throws {
    kill(running.process.processIdentifier, SIGKILL)
    running.process.waitUntilExit()
    running = try moai.start(["serve", "--port", "0"])
    port = try HubProcess.port(of: running)
  }

  /// Tells it to end, and returns its exit code.
  func terminate() -> Int32 {
    kill(running.process.processIdentifier, SIGTERM)
    return running.waitForEnd()
  }

  var address: HubAddress { HubAddress(port: port) }

  /// A request on a connection of its own. Paths that do not begin with a slash are below the swarm `default`.
  @discardableResult
  func callAsFunction(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) throws -> HubAddress.Answer {
    try address(method, path, body, headers: headers)
  }

  /// Opens a stream.
  func stream(_ path: String, headers: [String: String] = [:]) throws -> HubStream {
    try address.stream(path, headers: headers)
  }
}

/// Where a hub listens.
struct HubAddress: Sendable {
  let port: Int

  struct Answer {
    let status: Int
    /// Lower-case names.
    let headers: [String: String]
    let body: String

    func json(_ location: SourceLocation = #_sourceLocation) throws -> StateValue {
      do { return try JSONParser().parse(body) } catch {
        Issue.record("no JSON: \(body)", sourceLocation: location)
        throw error
      }
    }

    /// The word of a problem document.
    var code: String? { (try? JSONParser().parse(body))?["code"]?.stringValue }
    var field: String? { (try? JSONParser().parse(body))?["field"]?.stringValue }
  }

  /// A request on a connection of its own. Paths that do not begin with a slash are below the swarm `default`.
  @discardableResult
  func callAsFunction(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) throws -> Answer {
    let answer = try send(method, path, body, headers: headers)
    let fault = try AnswerSchemas.of(self).fault(of: answer, to: method, HubAddress.place(path))
    #expect(fault == nil, "the OpenAPI document says otherwise")
    return answer
  }

  /// The same, whatever the answer is like.
  func send(
    _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) throws -> Answer {
    let connection = try HubConnection(port: port)
    try connection.send(HubAddress.request(method, path, body, headers, port, closing: true))
    let bytes = try connection.readToEnd()
    return try HubAddress.parse(bytes)
  }

  /// Opens a stream.
  func stream(_ path: String, headers: [String: String] = [:]) throws -> HubStream {
    let connection = try HubConnection(port: port)
    var all = ["Accept": "text/event-stream"]
    all.merge(headers) { $1 }
    try connection.send(HubAddress.request("GET", path, nil, all, port, closing: false))
    return try HubStream(connection)
  }

  private static func place(_ path: String) -> String {
    path.hasPrefix("/") ? path : "/v1/swarms/default/\(path)"
  }

  private static func request(
    _ method: String, _ path: String, _ body: String?, _ headers: [String: String], _ port: Int, closing: Bool
  ) -> String {
    var all = ["Host": "127.0.0.1:\(port)"]
    if closing { all["Connection"] = "close" }
    if let body {
      all["Content-Type"] = "application/json"
      all["Content-Length"] = "\(body.utf8.count)"
    }
    all.merge(headers) { $1 }
    let lines = all.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
    return "\(method) \(place(path)) HTTP/1.1\r\n\(lines)\r\n\(body ?? "")"
  }

  static func parse(_ bytes: [UInt8]) throws -> Answer {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { throw ConnectionLost() }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    let status = try #require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }, "\(text)")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    }
    return Answer(status: status, headers: headers, body: String(text[end.upperBound...]))
  }
}

/// The hub closed a connection before it had answered, or said nothing for a minute.
struct ConnectionLost: Error {}

/// A TCP connection to a hub. Reads give up after a minute.
final class HubConnection {
  private let socket: Int32

  init(port: Int) throws {
    #if canImport(Glibc)
      socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var limit = timeval(tv_sec: 60, tv_usec: 0)
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
    guard result == 0 else { throw ConnectionLost() }
  }

  deinit { close(socket) }

  func send(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
      guard count > 0 else { throw ConnectionLost() }
      rest = rest.dropFirst(count)
    }
  }

  /// What comes next; empty at the end.
  func read() throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &buffer, buffer.count, 0)
    guard count >= 0 else { throw ConnectionLost() }
    return Array(buffer.prefix(count))
  }

  /// What has come already; nil: nothing, and the connection is open.
  func readIfThere() throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    if count < 0, errno == EAGAIN { return nil }
    guard count >= 0 else { throw ConnectionLost() }
    return Array(buffer.prefix(count))
  }

  func readToEnd() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let part = try read()
      if part.isEmpty { return bytes }
      bytes += part
    }
  }
}

/// The events of a stream, one after the other.
final class HubStream {
  struct Event: Equatable {
    var name = ""
    var id: String?
    var data = ""

    func json() throws -> StateValue { try JSONParser().parse(data) }
  }

  let status: Int
  private let connection: HubConnection
  private var text = ""

  init(_ connection: HubConnection) throws {
    self.connection = connection
    var head = ""
    while !head.contains("\r\n\r\n") {
      let part = try connection.read()
      try #require(!part.isEmpty, "the stream ended: \(head)")
      head += String(decoding: part, as: UTF8.self)
    }
    status = try #require(head.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    text = HubStream.withoutChunks(String(head[try #require(head.range(of: "\r\n\r\n")).upperBound...]))
  }

  /// Chunk sizes stand on lines of their own that end in CR; events have none.
  private static func withoutChunks(_ text: String) -> String {
    text.replacing(/(\r\n)?[0-9a-f]+\r\n/) { _ in "" }.replacing("\r\n", with: "")
  }

  /// The next event that is no comment; nil: the stream is over.
  func next() throws -> Event? {
    while true {
      while let end = text.range(of: "\n\n") {
        let block = text[..<end.lowerBound]
        text = String(text[end.upperBound...])
        var event = Event()
        for line in block.split(separator: "\n") {
          if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
          if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
          if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
        }
        if !event.name.isEmpty { return event }
      }
      let part = try connection.read()
      if part.isEmpty { return nil }
      text += HubStream.withoutChunks(String(decoding: part, as: UTF8.self))
    }
  }
}
