import MoaiCRDT

extension SwarmStatus {
  /// Where the swarm stands, with its settings:
  /// `{swarm, epoch, revision, cursor, horizon, checkpoint, keys, chain, policies, limits}`.
  public func json(settings: SwarmSettings) -> StateValue {
    var fields = settings.fields
    fields.add("swarm", .string(name.name))
    fields.add("epoch", text: epoch.description)
    fields.add("revision", integer: revision)
    fields.add("cursor", text: cursor.description)
    fields.add("horizon", integer: horizon)
    fields.add("checkpoint", integer: checkpoint)
    fields.add("keys", integer: keys)
    fields.add("chain", text: Epoch(chain).description)
    return fields.json
  }
}
