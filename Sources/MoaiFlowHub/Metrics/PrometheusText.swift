/// Prometheus' text exposition format, version 0.0.4.
struct PrometheusText {
  enum Kind: String {
    case counter, gauge, histogram
  }

  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var text = ""
  private var lastName = ""

  init() {}

  mutating func add(_ series: Series, _ kind: Kind, _ value: Double) {
    begin(series.name, kind)
    line(series.name, series.labels, value)
  }

  mutating func add(_ series: Series, _ histogram: HistogramSeries.Reading) {
    begin(series.name, .histogram)
    for (index, count) in histogram.counts.enumerated() {
      let bound = index < histogram.bounds.count ? PrometheusText.number(histogram.bounds[index]) : "+Inf"
      line(series.name + "_bucket", series.labels + [.init(name: "le", value: bound)], Double(count))
    }
    line(series.name + "_sum", series.labels, histogram.sum)
    line(series.name + "_count", series.labels, Double(histogram.counts.last ?? 0))
  }

  private mutating func begin(_ name: String, _ kind: Kind) {
    guard name != lastName else { return }
    lastName = name
    text += "# TYPE \(name) \(kind.rawValue)\n"
  }

  private mutating func line(_ name: String, _ labels: [Series.Label], _ value: Double) {
    text += name
    if !labels.isEmpty {
      text += "{" + labels.map { "\($0.name)=\"\(PrometheusText.escaped($0.value))\"" }.joined(separator: ",") + "}"
    }
    text += " \(PrometheusText.number(value))\n"
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }
}
