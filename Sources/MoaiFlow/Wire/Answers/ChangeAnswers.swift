import MoaiCRDT

extension StateChange {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(), revision: try fields.integer("revision"), agent: try fields.agent(),
      timestamp: try fields.timestamp(), type: try fields.choice(required: "crdt_type", of: CRDTType.self),
      content: try fields.changeContent(), siblings: fields.object["siblings"])
    guard fields.optional("origins") != nil else { return }
    var origins: [WriteOrigin?] = []
    for (value, place) in try fields.elements("origins") ?? [] {
      origins.append(value.isNull ? nil : try WriteOrigin(answer: try WireObject(answer: value, at: place)))
    }
    self.origins = origins
  }
}

extension WriteOrigin {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      agent: try fields.agent(), timestamp: try fields.timestamp(), revision: try fields.integer("revision"))
  }
}

extension ChangesPage {
  /// A page with origins, as ``json(withOrigins:)`` writes it; of one without, `began` and `isFirst` are guessed.
  package init(answer fields: WireObject) throws(WireError) {
    var next: PageToken?
    if let value = fields.optional("next") {
      next = PageToken(try WireObject.text(value, fields.place.appending("next")).string)
      if next == nil { throw WireError(fields.place.appending("next"), "is no page") }
    }
    let head = try fields.integer("head")
    self.init(
      changes: try fields.list("changes") { fields throws(WireError) in try StateChange(answer: fields) }, head: head,
      began: try fields.optionalInteger("began") ?? head, next: next, cursor: try fields.optionalCursor("cursor"),
      isSnapshot: try fields.flag("snapshot"), isFirst: try !fields.flag("continued"))
    replicas = try fields.list("replicas") { fields throws(WireError) in try ReplicaProgress(answer: fields) }
  }
}

extension ReplicaProgress {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      replica: try fields.replica(), accepted: try fields.number("accepted_to"),
      announced: try fields.number("announced_to"), isClosed: try fields.flag("closed"))
  }
}

extension ChangeBatch {
  /// One message of a stream, for a reader that has everything up to `after`.
  package init(answer fields: WireObject, after: Revision, isFirst: Bool) throws(WireError) {
    self.init(
      after: after, cursor: try fields.optionalCursor("cursor"), agent: try fields.optionalAgent("agent_id"),
      timestamp: try fields.optionalTimestamp(),
      changes: try fields.list("changes") { fields throws(WireError) in try StateChange(answer: fields) },
      isSnapshot: try fields.flag("snapshot"), isFirst: isFirst)
  }
}
