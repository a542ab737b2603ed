import MoaiCRDT

extension StateReading {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(), value: try fields.required("value"),
      type: try fields.choice(required: "crdt_type", of: CRDTType.self),
      strategy: try fields.choice(required: "strategy", of: KeyStrategy.self), version: try fields.integer("version"),
      revision: try fields.integer("revision"), timestamp: try fields.timestamp(), agent: try fields.agent(),
      siblings: fields.object["siblings"], cursor: try fields.cursor())
  }
}

extension KeyPage {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      keys: try fields.list("keys") { fields throws(WireError) in try Key(answer: fields) },
      next: try fields.name("next") { text throws(NameError) in try StateKey(text) }, cursor: try fields.cursor())
  }
}

extension KeyPage.Key {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(), type: try fields.choice(required: "crdt_type", of: CRDTType.self),
      revision: try fields.integer("revision"), version: try fields.integer("version"), agent: try fields.agent(),
      timestamp: try fields.timestamp(), value: fields.object["value"])
  }
}

extension KeyResult {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(), revision: try fields.integer("revision"), version: try fields.integer("version"),
      changed: try fields.flag("changed"),
      overwrote: try fields.list("overwrote") { fields throws(WireError) in try Overwritten(answer: fields) })
  }
}

extension Overwritten {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(agent: try fields.agent(), revision: try fields.integer("revision"))
  }
}

extension Outcome {
  /// The answer to `POST batch`: `{revision, keys, repeated?}`.
  package init(batch fields: WireObject) throws(WireError) {
    let keys = try fields.list("keys") { fields throws(WireError) in try KeyResult(answer: fields) }
    self.init(
      revision: try fields.integer("revision"), isRepeat: try fields.flag("repeated"),
      result: .state(StateOutcome(keys: keys)))
  }

  package init(revision: Revision, refused refusal: Refusal) {
    self.init(revision: revision, result: .refused(refusal))
  }

  package init(settingsAt revision: Revision) {
    self.init(revision: revision, result: .settings)
  }

  package init(revision: Revision, agent outcome: AgentOutcome) {
    self.init(revision: revision, result: .agent(outcome))
  }

  package init(revision: Revision, isRepeat: Bool, replica outcome: ReplicaOutcome) {
    self.init(revision: revision, isRepeat: isRepeat, result: .replica(outcome))
  }
}

extension SwarmStatus {
  package init(answer fields: WireObject) throws(WireError) {
    guard let name = try fields.name("swarm", { text throws(NameError) in try SwarmName(text) }) else {
      throw fields.missing("swarm")
    }
    self.init(
      name: name, epoch: Epoch(try fields.hash("epoch")), revision: try fields.integer("revision"),
      horizon: try fields.integer("horizon"), checkpoint: try fields.integer("checkpoint"),
      keys: try fields.count("keys"), chain: try fields.hash("chain"))
  }
}

extension SwarmSettings {
  /// The settings among the fields of `GET /v1/swarms/{swarm}`.
  package init(answer fields: WireObject) throws(WireError) {
    let names = ["policies", "limits", "retention"]
    try self.init(
      json: .object(StateObject(ascending: fields.object.fields.filter { names.contains($0.name.string) })))
  }
}
