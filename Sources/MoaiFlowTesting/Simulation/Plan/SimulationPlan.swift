/// What a run does, made from its seed before it begins: a list of steps, each with its place in time and dice of its
/// own, so that leaving one out changes nothing about the others.
package struct SimulationPlan: Sendable {
  package struct Step: Sendable {
    /// Its place in the whole list, by which a replay names it.
    package let number: Int
    /// Milliseconds since the run began.
    package let time: Int
    package let kind: StepKind
    package let seed: UInt64
  }

  package let seed: UInt64
  package private(set) var steps: [Step]
  /// How many there were before any was left out.
  package let total: Int

  package init(seed: UInt64) {
    self.seed = seed
    var random = SplitMix64(seed: seed)
    let character = RunCharacter(using: &random)
    let count = 30 + random.below(random.below(4) == 0 ? 200 : 80)
    var time = 0
    steps = (0..<count).map { number in
      time += random.below(character.longestGap)
      return Step(number: number, time: time, kind: character.step(using: &random), seed: random.next())
    }
    total = count
  }

  /// The plan with only these steps of it.
  package func keeping(_ numbers: Set<Int>) -> SimulationPlan {
    var plan = self
    plan.steps = steps.filter { numbers.contains($0.number) }
    return plan
  }

  /// The command line that replays exactly this plan.
  package var commandLine: String {
    let base = "make simulate SEED=\(seed)"
    return steps.count == total ? base : base + " STEPS=" + steps.map { "\($0.number)" }.joined(separator: ",")
  }
}

/// One thing that happens in a run. Each undoes itself after a while, so that leaving any out is possible.
package enum StepKind: Sendable, Hashable, CaseIterable {
  /// An agent changes one or several keys, knowing what it knows.
  case write
  /// An agent reads a key and writes it back changed, with what it read as the base or the condition.
  case readModifyWrite
  case settings
  case read
  /// A reader asks for what changed.
  case poll
  /// A follower's connection breaks, and comes back.
  case breakFeed
  case fullSync
  case openSession
  case cutLink
  case badNetwork
  case crash
  case restart
  case appendFault
  case saveFault
  case readFault
  case clockJump
  case backUp
  case restoreBackup
  /// A device writes while it is away, or spends what it had reserved.
  case writeOffline
  case spendOffline
  /// A device and the swarm, or two devices, exchange what each lacks.
  case exchange
  case meet
  case crashDevice
  case deviceFault
  case closeReplica
  /// Short stories about devices, of what rarely comes together by itself.
  case newcomer
  case twins
  case busyDevice
}

/// What kind of trouble a run is about: every run has a few kinds, so that each also meets the quiet ones.
struct RunCharacter {
  let longestGap: Int
  private var weights: [(kind: StepKind, weight: Int)]
  private let sum: Int

  init(using random: inout SplitMix64) {
    longestGap = [2, 20, 100, 400][random.below(4)]
    func maybe(_ weight: Int) -> Int { random.below(3) == 0 ? weight : 0 }
    weights = [
      (.write, 30), (.readModifyWrite, 14), (.read, 6), (.poll, 8), (.settings, maybe(4)), (.breakFeed, maybe(4)),
      (.fullSync, maybe(8)), (.openSession, 2), (.cutLink, maybe(5)), (.badNetwork, maybe(5)), (.crash, maybe(4)),
      (.restart, maybe(2)), (.appendFault, maybe(8)), (.saveFault, maybe(3)), (.readFault, maybe(2)),
      (.clockJump, maybe(2)), (.backUp, maybe(3)), (.restoreBackup, maybe(2)),
    ]
    // Two runs of three have devices in them.
    if random.below(3) > 0 {
      weights += [
        (.writeOffline, 14), (.exchange, 8), (.spendOffline, maybe(20)), (.meet, maybe(10)), (.crashDevice, maybe(4)),
        (.deviceFault, maybe(5)), (.closeReplica, maybe(2)), (.newcomer, maybe(3)), (.twins, maybe(3)),
        (.busyDevice, maybe(5)),
      ]
    }
    sum = weights.reduce(0) { $0 + $1.weight }
  }

  func step(using random: inout SplitMix64) -> StepKind {
    var dice = random.below(sum)
    for (kind, weight) in weights {
      if dice < weight { return kind }
      dice -= weight
    }
    return .write
  }
}

extension SimulationPlan.Step: CustomStringConvertible {
  package var description: String { "\(number) at \(time) ms: \(kind)" }
}
