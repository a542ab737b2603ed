import ArgumentParser

/// `moai-flow state`: shared values.
struct State: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read, write and follow shared values.",
    discussion: """
      Example:
        moai-flow state incr requests 3 --data ./swarm-data --agent alice
        moai-flow state get requests --data ./swarm-data
      """,
    subcommands: [
      StateGet.self, StateSet.self, StateIncrement.self, StateAdd.self, StateRemove.self, StatePut.self,
      StateDelete.self, StateList.self, StateWatch.self, StateChanges.self, StateSync.self, StateHistory.self,
      StateExplain.self, StateRewind.self,
    ])
}
