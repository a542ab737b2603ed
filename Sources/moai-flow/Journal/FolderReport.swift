import MoaiCRDT
import MoaiFlow

/// What `check` has found.
struct FolderReport {
  struct Swarm {
    let name: SwarmName
    let audit: Result<JournalAudit, JournalError>

    var problems: [String] {
      switch audit {
      case .success(let audit): audit.problems
      case .failure(let error): ["\(error)"]
      }
    }
  }

  /// What to do about it, one line each.
  var advice: [String] {
    swarms.compactMap { swarm in
      guard case .success(let audit) = swarm.audit, let revision = audit.unreadable else { return nil }
      if let checkpoint = audit.checkpoint, checkpoint >= revision {
        return
          "swarm \"\(swarm.name)\": a checkpoint at revision \(checkpoint) lies behind entry \(revision): 'moai-flow "
          + "swarms trim \(swarm.name)' gives up the history and keeps the values"
      }
      return
        "swarm \"\(swarm.name)\": 'moai-flow skip \(revision) --swarm \(swarm.name)' says what going on without entry "
        + "\(revision) would lose"
    }
  }

  /// What is wrong with the file as a whole.
  var file: [String] = []
  var swarms: [Swarm] = []

  /// Everything that is wrong, one line each.
  var problems: [String] {
    file + swarms.flatMap { swarm in swarm.problems.map { "swarm \"\(swarm.name)\": \($0)" } }
  }

  /// `{ok, problems, advice, swarms: [{swarm, ok, problems, epoch?, revision?, keys?, chain?, checkpoint?}]}`; `problems` of the
  /// whole holds those of the swarms too.
  var json: StateValue {
    var fields = WireFields()
    fields.add("ok", .bool(problems.isEmpty))
    fields.add("problems", .array(problems.map { StateValue($0) }))
    fields.add("advice", .array(advice.map { StateValue($0) }))
    fields.add("swarms", .array(swarms.map(\.json)))
    return fields.json
  }
}

extension FolderReport.Swarm {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("swarm", .string(name.name))
    fields.add("ok", .bool(problems.isEmpty))
    fields.add("problems", .array(problems.map { StateValue($0) }))
    if case .success(let audit) = audit {
      fields.add("epoch", text: audit.epoch.description)
      fields.add("revision", integer: audit.revision)
      fields.add("keys", integer: audit.keys)
      fields.add("chain", text: Epoch(audit.chain).description)
      if let checkpoint = audit.checkpoint { fields.add("checkpoint", integer: checkpoint) }
    }
    return fields.json
  }
}

extension JournalError {
  /// Whether the error says that what is stored is damaged, and not that it cannot be reached.
  var isDamage: Bool {
    switch self {
    case .corrupt, .damaged: true
    default: false
    }
  }
}
