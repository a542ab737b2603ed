import MoaiFlow

extension RunJudge {
  /// The horizon moves only to where everything that had to stay readable lay behind it, by the settings and the time of
  /// some moment between there and the entry: it is decided shortly before it is written (rule §6.4).
  mutating func judgeTrim(of entry: Entry, at revision: Revision, _ chronicle: Chronicle) {
    guard case .journal(.trim(let floor)) = entry.command else { return }
    statistics.trims += 1
    guard entry.author == .journal, (1..<revision).contains(floor) else {
      return violation("§6.4", "entry \(revision) of \(entry.author) moves the horizon to \(floor)")
    }
    let since = chronicle.moments[Int(floor)].time
    let isDue = (floor..<revision).contains { head in
      let moment = chronicle.moments[Int(head)]
      let retention = moment.retention
      return retention.isBounded && retention.entries.map { head - floor >= $0 } ?? true
        && retention.milliseconds.map { moment.time - since > $0 } ?? true
    }
    if !isDue { violation("§6.4", "entry \(revision) moves the horizon to \(floor) too early") }
  }
}
