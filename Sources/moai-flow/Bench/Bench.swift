import ArgumentParser
import MoaiFlow

/// `moai-flow bench`: the workloads of `docs/Performance.md` on this machine, checked.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine on fixed work, and check that the work came out right.",
    discussion: """
      Suites: lattices (W1 to W7: resolve, merge, exchange), core (W8: apply, replay, open), changes (how costs grow with what \
      exists), journal (durable writes), json, hub (a hub over loopback; needs 12,000 open files), all. Figures without a \
      hub are medians of three rounds; docs/Performance.md says what was measured elsewhere. Take durable figures on an idle machine.

      Example:
        moai-flow bench lattices
        moai-flow bench changes --json
      """)

  enum Suite: String, CaseIterable, ExpressibleByArgument {
    case lattices
    case core
    case changes
    case journal
    case json
    case hub
    case all
  }

  @Argument(help: "What to measure.")
  var suite: Suite

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let suites = suite == .all ? Suite.allCases.filter { $0 != .all } : [suite]
    var table = TextTable("WORKLOAD", "FIGURE", "UNIT", "TARGET", "WHAT")
    do {
      for suite in suites {
        if Terminal.isInteractive { Terminal.note("\(suite.rawValue) …") }
        for row in try await suite.rows() {
          if output.json { try output.write(row.json) } else { table.add(row.columns) }
        }
      }
    } catch let failure as BenchFailure {
      throw Failure(.no, failure.reason)
    }
    if !output.json { try table.write() }
  }
}

extension Bench.Suite {
  fileprivate func rows() async throws -> [BenchRow] {
    switch self {
    case .lattices:
      try BenchRounds.medians(of: [
        ResolveBench(.threeByTime), ResolveBench(.hundredByTime), ResolveBench(.threeByClock),
        ResolveBench(.sixteenByClock), CounterMergeBench(), SetMergeBench(), SetDeltaBench(), MapMergeBench(),
        MapDeltaBench(keys: 10_000), MapDeltaBench(keys: 100_000), ConvergenceBench(),
      ])
    case .core:
      try BenchRounds.medians(of: [CoreBench(entries: 1_000_000, keys: 100_000)])
        + (try await OpenBench(keys: 1_000_000, tail: 5_000).run())
    case .changes:
      try await ChangesBench().run() + (try BenchRounds.medians(of: WriteGrowthBench.sizes.map(WriteGrowthBench.init)))
        + (try await FieldsBench().run())
    case .journal: try await JournalBench().run()
    case .json: try BenchRounds.medians(of: [JSONBench()])
    case .hub: try await HubBench().run()
    case .all: []
    }
  }
}
