import ArgumentParser

/// `moai-flow swarms`: what a data folder holds.
struct Swarms: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list, configure, trim and delete swarms.",
    discussion: """
      Example:
        moai-flow swarms create research --data ./swarm-data
        moai-flow swarms list --data ./swarm-data
      """,
    subcommands: [
      SwarmsCreate.self, SwarmsList.self, SwarmsShow.self, SwarmsSettings.self, SwarmsTrim.self, SwarmsDelete.self,
    ])
}
