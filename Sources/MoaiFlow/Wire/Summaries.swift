extension StateOperation {
  /// The operation in a few words, for a line of a table.
  package var summary: String {
    switch self {
    case .increment(let amount): amount < 0 ? "\(amount)" : "+\(amount)"
    case .share(let share): "share = \(share)"
    case .add(let element): "add \(JSONWriter.text(element, style: .spaced))"
    case .remove(let element): "remove \(JSONWriter.text(element, style: .spaced))"
    case .put(let field, let value):
      "\(JSONWriter.text(.string(field))): \(JSONWriter.text(value, style: .spaced))"
    case .removeField(let field): "remove \(JSONWriter.text(.string(field)))"
    case .assign(let value): "= \(JSONWriter.text(value, style: .spaced))"
    }
  }
}

extension StateChange.Content {
  package var summary: String {
    switch self {
    case .deleted: "deleted"
    case .value(let value): "= \(JSONWriter.text(value, style: .spaced))"
    case .operations(let operations): operations.map(\.summary).joined(separator: ", ")
    }
  }
}

extension Command {
  /// What was asked, in a few words.
  package var summary: String {
    switch self {
    case .settings: "settings"
    case .journal(.trim(let revision)): "horizon to \(revision)"
    case .journal(.tick): "tick"
    case .journal(.skip(let skipped)): "skipped an entry: \(skipped.reason)"
    case .state(.write(let writes)): writes.map(\.summary).joined(separator: "; ")
    case .state(.rewind(let rewind)): "rewind \(rewind.target)"
    case .replica(.delta(let delta)):
      "replica \(delta.replica) #\(delta.first): " + delta.writes.map(\.summary).joined(separator: "; ")
    case .replica(.reserve(let replica, let key, let right)): "reserve \(right) of \(key) for replica \(replica)"
    case .replica(.close(let replica)): "close replica \(replica)"
    case .replica(.announce(let replica, let last)): "has met replica \(replica) up to #\(last)"
    case .replica(.resolve(let replica, let first)): "resolve #\(first) of replica \(replica)"
    case .agent(.register(let agent, _)): "register \(agent)"
    case .agent(.unregister(let agent)): "unregister \(agent)"
    case .agent(.fail(let agent, let incarnation, _)): "\(agent) has failed (incarnation \(incarnation))"
    case .agent(.recover(let agent, let incarnation)): "\(agent) has recovered (incarnation \(incarnation))"
    }
  }
}

extension KeyWrite {
  package var summary: String {
    switch content {
    case .delete: "\(key): delete"
    case .operations(let operations): "\(key): " + operations.map(\.summary).joined(separator: ", ")
    case .value(let type, let operations):
      "\(key): whole \(type.rawValue): " + operations.map(\.summary).joined(separator: ", ")
    }
  }
}

extension Outcome {
  /// What became of it.
  package var summary: String {
    let word =
      switch result {
      case .settings, .journal: "applied"
      case .replica(.kept(let refusal)): "refused and kept: \(refusal)"
      case .agent(.unchanged): "nothing changed"
      case .replica, .agent: "applied"
      case .state(let state): state.keys.contains(where: \.changed) ? "applied" : "nothing changed"
      case .refused(let refusal): "refused: \(refusal)"
      }
    return isRepeat ? "\(word) (a repeat of revision \(revision))" : word
  }
}
