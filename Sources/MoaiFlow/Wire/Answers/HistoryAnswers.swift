import MoaiCRDT

extension HistoryPage {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(),
      changes: try fields.list("changes") { fields throws(WireError) in try Change(answer: fields) },
      next: try fields.reference("next").map { next throws(WireError) in try next.number(fields.place) },
      horizon: try fields.integer("horizon"), revision: try fields.integer("revision"))
  }
}

extension RevisionReference {
  fileprivate func number(_ place: JSONPointer) throws(WireError) -> Revision {
    guard case .revision(let revision) = self else { throw WireError(place.appending("next"), "is no revision") }
    return revision
  }
}

extension HistoryPage.Change {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      revision: try fields.integer("revision"), agent: try fields.agent(), via: try fields.optionalAgent("via"),
      timestamp: try fields.timestamp(), type: try fields.choice(required: "crdt_type", of: CRDTType.self),
      version: try fields.integer("version"), isCreation: try fields.flag("created"),
      content: try fields.changeContent(),
      rewind: try fields.optionalObject("rewind").map { fields throws(WireError) in try RewindTarget(answer: fields) })
  }
}

extension RewindTarget {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    if let agent = try fields.optionalAgent("agent_id") {
      self = .agent(agent, since: try fields.integer("since"))
    } else {
      self = .revision(try fields.integer("revision"))
    }
  }
}

extension KeyExplanation {
  package init(answer fields: WireObject) throws(WireError) {
    func author(_ name: String) throws(WireError) -> Author? {
      try fields.optionalObject(name).map { fields throws(WireError) in try Author(answer: fields) }
    }
    self.init(
      key: try fields.key(),
      reading: try fields.optionalObject("reading").map { fields throws(WireError) in try StateReading(answer: fields)
      },
      type: try fields.choice(required: "crdt_type", of: CRDTType.self), created: try author("created"),
      deleted: try author("deleted"), deletions: try fields.count("deletions"),
      parts: try fields.list("parts") { fields throws(WireError) in try PartReason(answer: fields) },
      partCount: try fields.count("part_count"),
      shares: try fields.list("shares") { fields throws(WireError) in try ShareReason(answer: fields) },
      shareCount: try fields.count("share_count"), horizon: try fields.integer("horizon"))
  }
}

extension KeyExplanation.Author {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      agent: try fields.agent(), timestamp: try fields.timestamp(), revision: try fields.integer("revision"))
  }
}

extension KeyExplanation.Part {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    if let field = fields.object["field"] {
      self = .field(try WireObject.text(field, fields.place.appending("field")))
    } else if let element = fields.object["element"] {
      self = .element(element)
    } else {
      self = .whole
    }
  }
}

extension KeyExplanation.Source {
  fileprivate init(answer fields: WireObject, of part: KeyExplanation.Part) throws(WireError) {
    let value: StateValue
    if case .element = part { value = .null } else { value = try fields.required("value") }
    self.init(
      value: value, author: try KeyExplanation.Author(answer: fields),
      restoredBy: try fields.optionalInteger("restored_by"))
  }
}

extension KeyExplanation.Rule {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    func by() throws(WireError) -> KeyExplanation.Author { try KeyExplanation.Author(answer: try fields.object("by")) }
    switch try fields.text("rule").string {
    case "earlier_time": self = .earlierTime
    case "smaller_name": self = .smallerName
    case "smaller_value": self = .smallerValue
    case "overwritten": self = .overwritten(try by())
    case "removed": self = .removed(try by())
    case "rewound": self = .rewound(try by())
    case let other: throw WireError(fields.place.appending("rule"), "\(other) is no rule")
    }
  }
}

extension KeyExplanation.PartReason {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    let part = try KeyExplanation.Part(answer: fields)
    self.init(
      part: part,
      shown: try fields.optionalObject("shown").map { fields throws(WireError) in
        try KeyExplanation.Source(answer: fields, of: part)
      },
      lost: try fields.list("lost") { fields throws(WireError) in
        KeyExplanation.Loss(
          source: try KeyExplanation.Source(answer: fields, of: part), rule: try KeyExplanation.Rule(answer: fields))
      },
      lostCount: try fields.count("lost_count"),
      survived: try fields.list("survived") { fields throws(WireError) in try KeyExplanation.Author(answer: fields) })
  }
}

extension KeyExplanation.ShareReason {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      agent: try fields.agent(), share: try fields.integer("share"), entries: try fields.count("entries"),
      last: try fields.list("last") { fields throws(WireError) in
        Step(
          author: try KeyExplanation.Author(answer: fields), amount: try fields.integer("amount"),
          isRewind: try fields.flag("rewind"))
      })
  }
}

extension RewindReport {
  package init(answer fields: WireObject) throws(WireError) {
    var unchanged: [StateKey] = []
    for (value, place) in try fields.elements("unchanged") ?? [] {
      do {
        unchanged.append(try StateKey(try WireObject.text(value, place).string))
      } catch { throw WireError(place, "is no key") }
    }
    self.init(
      revision: try fields.optionalInteger("revision"), plannedAt: try fields.integer("planned_at"),
      entries: try fields.count("entries"),
      changes: try fields.list("changes") { fields throws(WireError) in try Change(answer: fields) },
      unchanged: unchanged,
      blocked: try fields.list("blocked") { fields throws(WireError) in try Blocked(answer: fields) },
      dependents: try fields.list("dependents") { fields throws(WireError) in try Dependent(answer: fields) },
      dependentCount: try fields.count("dependent_count"))
  }
}

extension RewindReport.Change {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      key: try fields.key(), type: try fields.choice(required: "crdt_type", of: CRDTType.self),
      entries: try fields.count("entries"), content: try fields.changeContent(), before: fields.optional("before"),
      after: fields.optional("after"))
  }
}

extension RewindReport.Blocked {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    let code = try fields.text("code").string
    let obstacles: [RewindReport.Obstacle] = [.recreated, .bound, .tooLarge, .trimmed]
    guard let obstacle = obstacles.first(where: { $0.code == code }) else {
      throw WireError(fields.place.appending("code"), "\(code) is no obstacle")
    }
    self.init(key: try fields.key(), obstacle: obstacle)
  }
}

extension RewindReport.Dependent {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    self.init(
      revision: try fields.integer("revision"), agent: try fields.agent(), key: try fields.key())
  }
}
