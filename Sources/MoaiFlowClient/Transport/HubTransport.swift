import AsyncHTTPClient
import Foundation
import MoaiCRDT
import MoaiFlow
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Gets requests to a hub and answers back, over lost connections and restarts.
final class HubTransport: Sendable {
  /// Bytes of an answer at most.
  private static let answerBytes = 64 << 20
  private static let json = JSONParser(limits: JSONLimits(bytes: answerBytes, depth: 160))
  /// Connections to the hub at once: each stream keeps one for itself.
  private static let connections = 1_024

  let options: HubClientOptions
  private let base: String
  private let token: String?
  /// For requests, each of which has its own deadline.
  private let requests: HTTPClient
  /// For streams, which have none, and are dead when nothing comes.
  private let streams: HTTPClient
  private let sent = Atomic(0)
  private let received = Atomic(0)

  init(base: String, token: String?, options: HubClientOptions) {
    self.base = base
    self.token = token
    self.options = options
    requests = HubTransport.client(silence: nil)
    streams = HubTransport.client(silence: options.silence)
  }

  deinit {
    requests.shutdown { _ in }
    streams.shutdown { _ in }
  }

  private static func client(silence: Duration?) -> HTTPClient {
    var configuration = HTTPClient.Configuration(
      timeout: .init(connect: .seconds(5), read: silence?.amount), decompression: .disabled)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }

  var traffic: HubTraffic {
    HubTraffic(sent: sent.load(ordering: .relaxed), received: received.load(ordering: .relaxed))
  }

  func newID() -> CommandID { .random() }

  /// Asks something that changes nothing.
  func read(_ call: HubCall) async throws(SwarmError) -> HubAnswer {
    try await perform(call, headers: []).get()
  }

  /// Asks for one key or replica; nil: there is none.
  func find(_ call: HubCall) async throws(SwarmError) -> HubAnswer? {
    switch try await perform(call, headers: []) {
    case .success(let answer): return answer
    case .failure(let problem) where problem.isAbsence: return nil
    case .failure(let problem): throw problem.error
    }
  }

  /// Asks for something that is done once, however often it is sent: under the id.
  func write(_ call: HubCall, id: CommandID) async throws(SwarmError) -> HubAnswer {
    try await perform(call, headers: [("Idempotency-Key", id.description)]).get()
  }

  /// Asks for something once: the caller looks himself whether it was done, if the answer is lost.
  func once(_ call: HubCall) async throws(SwarmError) -> HubAnswer {
    switch await attempt(call, []) {
    case .answer(let answer): return answer
    case .problem(let problem): throw problem.error
    case .lost(let why): throw .outcomeUnknown(why)
    case .unreached(let why): throw .unreachable(why)
    }
  }

  /// Writes an answer that is a file, as it comes.
  func download(_ call: HubCall, to file: FileHandle) async throws {
    let response = try await streams.execute(request(call, []), deadline: .distantFuture)
    let status = Int(response.status.code)
    guard status < 400 else {
      let body = try await response.body.collect(upTo: 1 << 20)
      let fields = try WireObject(answer: body.withUnsafeReadableBytes { try HubTransport.json.parse($0) })
      throw HubProblem(status: status, fields, retryAfter: nil).error
    }
    for try await part in response.body { try file.write(contentsOf: Data(part.readableBytesView)) }
  }

  /// - Throws: when the patience is over.
  private func perform(
    _ call: HubCall, headers: [(String, String)]
  ) async throws(SwarmError) -> Result<HubAnswer, HubProblem> {
    var pauses = Pauses(options)
    let start = ContinuousClock.now
    while true {
      let failure: SwarmError
      var pause: Duration?
      switch await attempt(call, headers) {
      case .answer(let answer): return .success(answer)
      case .problem(let problem) where problem.isPassing:
        failure = problem.error
        pause = problem.retryAfter
      case .problem(let problem): return .failure(problem)
      case .lost(let why): failure = .outcomeUnknown(why)
      case .unreached(let why): failure = .unreachable(why)
      }
      let next = max(pauses.next(), pause ?? .zero)
      guard ContinuousClock.now - start + next < options.patience else {
        throw failure.afterTrying(for: options.patience)
      }
      do { try await Task.sleep(for: next) } catch { throw failure }
    }
  }

  private enum Attempt {
    case answer(HubAnswer)
    case problem(HubProblem)
    /// The hub may have got the request.
    case lost(String)
    case unreached(String)
  }

  private func attempt(_ call: HubCall, _ headers: [(String, String)]) async -> Attempt {
    var request = request(call, headers)
    if let body = call.body {
      request.headers.add(name: "Content-Type", value: "application/json")
      let bytes = JSONWriter.bytes(body)
      sent.wrappingAdd(bytes.count, ordering: .relaxed)
      request.body = .bytes(ByteBuffer(bytes: bytes))
    }
    do {
      let limit = (options.timeout + call.wait).amount
      let response = try await requests.execute(request, timeout: limit)
      let body = try await response.body.collect(upTo: HubTransport.answerBytes)
      received.wrappingAdd(body.readableBytes, ordering: .relaxed)
      let fields = try WireObject(answer: body.withUnsafeReadableBytes { try HubTransport.json.parse($0) })
      let status = Int(response.status.code)
      guard status >= 400 else { return .answer(HubAnswer(status: status, fields: fields)) }
      let seconds = response.headers.first(name: "Retry-After").flatMap { Int($0) }
      return .problem(HubProblem(status: status, fields, retryAfter: seconds.map { .seconds($0) }))
    } catch let error as HTTPClientError where error == .connectTimeout {
      return .unreached("nobody answers at \(base)")
    } catch let error as NIOConnectionError {
      return .unreached(
        "\(base) cannot be reached: \(error.connectionErrors.first.map { "\($0.error)" } ?? error.host)")
    } catch let error as IOError where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH].contains(error.errnoCode) {
      return .unreached("\(base) cannot be reached: \(String(cString: strerror(error.errnoCode)))")
    } catch let error as IOError {
      return .lost("the connection to \(base) broke: \(error)")
    } catch {
      return .lost("\(base) did not answer: \(error)")
    }
  }

  private func request(_ call: HubCall, _ headers: [(String, String)]) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: base + call.target)
    request.method = HTTPMethod(rawValue: call.method.rawValue)
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    return request
  }

  // MARK: Streams

  /// Opens a stream of events, once.
  ///
  /// - Throws: `.unreachable` and other passing errors after which it may be tried again; what will not pass otherwise.
  func open(_ call: HubCall, lastEventID: String?) async throws(SwarmError) -> HTTPClientResponse.Body {
    var headers = [("Accept", "text/event-stream")]
    if let lastEventID { headers.append(("Last-Event-ID", lastEventID)) }
    do {
      let response = try await streams.execute(request(call, headers), deadline: .distantFuture)
      let status = Int(response.status.code)
      guard status >= 400 else { return response.body }
      let body = try await response.body.collect(upTo: 1 << 20)
      let fields = try WireObject(answer: body.withUnsafeReadableBytes { try HubTransport.json.parse($0) })
      let problem = HubProblem(status: status, fields, retryAfter: nil)
      throw problem.isPassing ? SwarmError.unreachable(problem.error.description) : problem.error
    } catch let error as SwarmError {
      throw error
    } catch {
      throw .unreachable("\(base) cannot be reached: \(error)")
    }
  }
}

extension Result<HubAnswer, HubProblem> {
  fileprivate func get() throws(SwarmError) -> HubAnswer {
    switch self {
    case .success(let answer): return answer
    case .failure(let problem): throw problem.error
    }
  }
}

extension SwarmError {
  /// What a person should know who waited for it.
  fileprivate func afterTrying(for patience: Duration) -> SwarmError {
    guard case .unreachable(let why) = self, patience > .zero else { return self }
    return .unreachable("\(why); tried for \(patience), is 'moai-flow serve' running there?")
  }
}

extension Duration {
  fileprivate var amount: TimeAmount {
    .nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
  }
}
