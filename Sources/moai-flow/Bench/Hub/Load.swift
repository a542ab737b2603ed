import Foundation
import MoaiFlow
import Synchronization

/// Many clients at once for a while, each with its connection, each waiting for its answer before it asks again.
struct Load {
  let port: Int
  let clients: Int
  let seconds: Double
  /// The request of a client's turn.
  let request: @Sendable (_ client: Int, _ turn: Int) -> [UInt8]

  struct Outcome {
    let requests: Int
    let seconds: Double
    /// In seconds.
    let latencies: [Double]

    var perSecond: Double { Double(requests) / seconds }
  }

  func run() throws -> Outcome {
    let results = Mutex<[Result<[Double], BenchFailure>]>([])
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    let group = DispatchGroup()
    for client in 0..<clients {
      group.enter()
      // A thread each: they wait nearly all the time.
      let thread = Thread {
        let result = Result { () throws(BenchFailure) in try work(client, until: end) }
        results.withLock { $0.append(result) }
        group.leave()
      }
      thread.stackSize = 256 << 10
      thread.start()
    }
    group.wait()
    let elapsed = start.duration(to: .now).seconds
    let latencies = try results.withLock { results in try results.flatMap { try $0.get() } }
    return Outcome(requests: latencies.count, seconds: elapsed, latencies: latencies)
  }

  private func work(_ client: Int, until end: ContinuousClock.Instant) throws(BenchFailure) -> [Double] {
    let connection = try LoadConnection(port: port)
    var latencies: [Double] = []
    var now = ContinuousClock.now
    var turn = 0
    while now < end {
      try connection.send(request(client, turn))
      let status = try connection.answer()
      guard status < 300 else { throw BenchFailure(reason: "the server answered \(status)") }
      let after = ContinuousClock.now
      latencies.append((after - now).seconds)
      now = after
      turn += 1
    }
    return latencies
  }
}
