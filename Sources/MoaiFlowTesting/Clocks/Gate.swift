import Synchronization

#if THREAD_SANITIZER
  import MoaiFlow
#endif

/// A place where calls wait while it is closed, and where a test waits until some do.
public final class Gate: Sendable {
  private struct State {
    var isClosed = false
    var held: [CheckedContinuation<Void, Never>] = []
    var watchers: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  public func close() { state.withLock { $0.isClosed = true } }

  /// Lets everybody through, now and from now on.
  public func open() {
    let held = state.withLock { state in
      defer { state.held = [] }
      state.isClosed = false
      return state.held
    }
    for call in held { call.resume() }
  }

  /// Lets those through who are held now; the gate stays as it is.
  public func letThrough() {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for call in held { call.resume() }
  }

  /// Returns at once if the gate is open, else when it opens.
  public func pass() async {
    await withCheckedContinuation { continuation in
      let watchers = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
        guard state.isClosed else { return nil }
        state.held.append(continuation)
        defer { state.watchers = [] }
        return state.watchers
      }
      guard let watchers else { return continuation.resume() }
      for watcher in watchers { watcher.resume() }
    }
  }

  /// Returns as soon as somebody is held.
  public func untilHeld() async {
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if !state.held.isEmpty { return true }
        state.watchers.append(continuation)
        return false
      }
      if isHeld { continuation.resume() }
    }
  }
}
