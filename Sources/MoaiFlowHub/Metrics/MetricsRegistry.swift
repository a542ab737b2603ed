public import CoreMetrics
import MoaiFlow
import Synchronization

/// What a process counts and measures, kept until Prometheus comes for it.
///
/// A backend of swift-metrics: `MetricsSystem.bootstrap(registry)` once per process, and everything that uses swift-metrics
/// is on the hub's `/metrics`.
public final class MetricsRegistry: MetricsFactory, Sendable {
  /// Series that are kept at most; more are measured and not shown. Labels come from a closed set, so this is a bound on
  /// mistakes.
  private static let limit = 10_000

  private struct Contents {
    var counters: [Series: CounterSeries] = [:]
    var gauges: [Series: GaugeSeries] = [:]
    var histograms: [Series: HistogramSeries] = [:]
    var count: Int { counters.count + gauges.count + histograms.count }
  }

  private let contents = Mutex(Contents())

  public init() {}

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    counter(label, dimensions)
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    counter(label, dimensions)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    obtain(Series(label, dimensions), in: \.gauges, GaugeSeries.init)
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    obtain(Series(label, dimensions), in: \.histograms) { HistogramSeries(bounds: HistogramSeries.sizes) }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    obtain(Series(label + ".seconds", dimensions), in: \.histograms) {
      HistogramSeries(bounds: HistogramSeries.seconds)
    }
  }

  // A series that was counted once is shown for as long as the process lives.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
    obtain(Series(label + ".total", dimensions), in: \.counters, CounterSeries.init)
  }

  private func obtain<Kind: AnyObject & Sendable>(
    _ series: Series, in table: any WritableKeyPath<Contents, [Series: Kind]> & Sendable, _ make: () -> Kind
  ) -> Kind {
    contents.withLock { contents in
      if let known = contents[keyPath: table][series] { return known }
      let new = make()
      if contents.count < MetricsRegistry.limit { contents[keyPath: table][series] = new }
      return new
    }
  }

  /// Everything in Prometheus' text format, in the order of the names.
  func write(to text: inout PrometheusText) {
    let (counters, gauges, histograms) = contents.withLock { ($0.counters, $0.gauges, $0.histograms) }
    for (series, counter) in counters.sorted(by: { $0.key < $1.key }) { text.add(series, .counter, counter.value) }
    for (series, gauge) in gauges.sorted(by: { $0.key < $1.key }) { text.add(series, .gauge, gauge.value) }
    for (series, histogram) in histograms.sorted(by: { $0.key < $1.key }) { text.add(series, histogram.read()) }
  }
}

/// The name of something that is measured, with its labels.
struct Series: Hashable, Comparable, Sendable {
  /// As Prometheus takes it: letters, digits, `_`.
  let name: String
  let labels: [Label]

  struct Label: Hashable, Sendable {
    let name: String
    let value: String
  }

  init(_ name: String, _ dimensions: [(String, String)]) {
    self.name = Series.word(name)
    labels = dimensions.map { Label(name: Series.word($0.0), value: $0.1) }
  }

  private static func word(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  static func < (left: Self, right: Self) -> Bool {
    if left.name != right.name { return left.name < right.name }
    return left.labels.lexicographicallyPrecedes(right.labels) { ($0.name, $0.value) < ($1.name, $1.value) }
  }
}
