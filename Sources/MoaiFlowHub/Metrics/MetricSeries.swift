import CoreMetrics
import MoaiFlow
import Synchronization

/// A number that only grows.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler, Sendable {
  private let contents = Mutex(0.0)

  init() {}

  var value: Double { contents.withLock { $0 } }
  func increment(by amount: Int64) { contents.withLock { $0 += Double(amount) } }
  func increment(by amount: Double) { contents.withLock { $0 += amount } }
  func reset() { contents.withLock { $0 = 0 } }
}

/// A number that goes up and down.
final class GaugeSeries: MeterHandler, Sendable {
  private let contents = Mutex(0.0)

  init() {}

  var value: Double { contents.withLock { $0 } }
  func set(_ value: Int64) { contents.withLock { $0 = Double(value) } }
  func set(_ value: Double) { contents.withLock { $0 = value } }
  func increment(by amount: Double) { contents.withLock { $0 += amount } }
  func decrement(by amount: Double) { contents.withLock { $0 -= amount } }
}

/// How often a measured number was how great.
final class HistogramSeries: RecorderHandler, TimerHandler, Sendable {
  /// From 100 µs, a fast read, to ten seconds.
  static let seconds = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10]
  static let sizes: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

  struct Reading: Sendable {
    let bounds: [Double]
    /// How many were at most each bound; the last one has no bound.
    var counts: [Int]
    var sum = 0.0
  }

  private let contents: Mutex<Reading>

  init(bounds: [Double]) {
    contents = Mutex(Reading(bounds: bounds, counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    contents.withLock { reading in
      let bucket = reading.bounds.firstIndex { value <= $0 } ?? reading.bounds.count
      reading.counts[bucket] += 1
      reading.sum += value
    }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  /// Cumulative, as Prometheus wants it.
  func read() -> Reading {
    contents.withLock { reading in
      var cumulative = reading
      for index in cumulative.counts.indices.dropFirst() { cumulative.counts[index] += cumulative.counts[index - 1] }
      return cumulative
    }
  }
}
