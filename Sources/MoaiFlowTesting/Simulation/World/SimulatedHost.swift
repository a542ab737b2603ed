import MoaiFlow
import Synchronization

/// The process that serves the swarm: it is up with a real ``Swarm``, or it is down.
///
/// A crash drops the swarm without closing it and cuts everybody who was connected; starting again opens it from the
/// disk: newest checkpoint, then the tail.
final class SimulatedHost: Sendable {
  private struct Contents {
    var swarm: Swarm?
    var store: SimulatedStore?
    /// Counts processes, so that an answer of a dead one is recognised.
    var generation = 0
    /// Cuts the connections of the running process.
    var connections: [Int: @Sendable () -> Void] = [:]
    var connectionCount = 0
    var isStarting = false
  }

  let disk: SimulatedDisk
  let options: SwarmOptions
  private let contents = Mutex(Contents())
  private let clock = SimulatedClock()
  let log: RunLog

  init(disk: SimulatedDisk, options: SwarmOptions, log: RunLog) {
    self.disk = disk
    self.options = options
    self.log = log
  }

  /// The running swarm, and which process it is.
  var running: (swarm: Swarm, generation: Int)? {
    contents.withLock { contents in contents.swarm.map { ($0, contents.generation) } }
  }

  func isRunning(_ generation: Int) -> Bool {
    contents.withLock { $0.swarm != nil && $0.generation == generation }
  }

  /// Starts the process; tries again while the disk cannot be read.
  func start() async {
    let mayStart = contents.withLock { contents in
      guard contents.swarm == nil, !contents.isStarting else { return false }
      contents.isStarting = true
      return true
    }
    guard mayStart else { return }
    for _ in 0..<20 {
      do {
        let store = try await disk.open()
        let swarm = try await Swarm.open(.default, in: store, createIfMissing: false, options: options)
        contents.withLock { contents in
          contents.swarm = swarm
          contents.store = store
          contents.generation += 1
          contents.isStarting = false
        }
        if case .status(let status) = try await swarm.answer(.status) { log.note(status) }
        return
      } catch {
        log.note(failedStart: "\(error)")
        await clock.pass(50)
      }
    }
    contents.withLock { $0.isStarting = false }
    log.violation("§10.1", "the swarm does not start again")
  }

  /// The process dies.
  func crash() async {
    let (store, connections) = contents.withLock { contents in
      defer {
        contents.swarm = nil
        contents.store = nil
        contents.connections = [:]
      }
      return (contents.store, contents.connections)
    }
    await store?.crash()
    for id in connections.keys.sorted() { connections[id]?() }
  }

  /// The process dies and nobody starts it until ``resume()``. False if somebody else holds it down already.
  func pause() async -> Bool {
    let isFree = contents.withLock { contents in
      defer { contents.isStarting = true }
      return !contents.isStarting
    }
    if isFree { await crash() }
    return isFree
  }

  func resume() {
    contents.withLock { $0.isStarting = false }
  }

  /// Ends the process in order: the swarm is closed and saves a checkpoint.
  func shutDown() async {
    if let swarm = running?.swarm {
      do { try await swarm.close() } catch { log.note(failedStart: "closing: \(error)") }
    }
    await crash()
  }

  /// A stopped swarm serves nobody; whoever watches the process restarts it.
  func restartIfStopped() async {
    guard let swarm = running?.swarm else { return await start() }
    do {
      _ = try await swarm.answer(.status)
    } catch {
      await crash()
      await start()
    }
  }

  /// Registers what cuts a connection when the process dies; nil if it is dead already.
  func connect(to generation: Int, _ cut: @escaping @Sendable () -> Void) -> Int? {
    contents.withLock { contents in
      guard contents.swarm != nil, contents.generation == generation else { return nil }
      contents.connectionCount += 1
      contents.connections[contents.connectionCount] = cut
      return contents.connectionCount
    }
  }

  func disconnect(_ connection: Int) {
    contents.withLock { $0.connections[connection] = nil }
  }
}
