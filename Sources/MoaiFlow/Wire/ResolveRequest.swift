import MoaiCRDT

/// One document of `resolve`, from its bytes or its JSON to its answer.
package struct ResolveRequest: Sendable {
  package static let maxBytes = 64 * 1024 * 1024

  private let resolver: ConflictResolver
  private let limits = JSONLimits(bytes: maxBytes, elements: 4_000_000)

  package init(strategy: ResolutionStrategy) {
    resolver = ConflictResolver(strategy: strategy)
  }

  package func answer(_ document: [UInt8]) throws(ResolveFault) -> StateValue {
    let json: StateValue
    do {
      json = try JSONParser(limits: limits).parse(document)
    } catch {
      throw ResolveFault(error)
    }
    return try answer(json)
  }

  /// One version out of those in the document: an array, or `{state_key, versions}`.
  package func answer(_ json: StateValue) throws(ResolveFault) -> StateValue {
    let (key, list, place) = try parts(of: json)
    let versions = try self.versions(list, at: place)
    do {
      let resolution =
        if let key { try resolver.resolve(versions, for: key) } else { try resolver.resolve(versions) }
      return resolution.version.json
    } catch {
      throw ResolveFault(error.field.under(place), error.detail)
    }
  }

  /// The keys whose versions are in conflict (rule §3.9): `{conflicts: [key…]}`.
  package func conflicts(in json: StateValue) throws(ResolveFault) -> StateValue {
    let place = JSONPointer("versions")
    guard case .array(let list)? = json["versions"] else { throw ResolveFault(place, "must be an array of versions") }
    do {
      let keys = try resolver.detectConflicts(try versions(list, at: place))
      return ["conflicts": .array(keys.map { .string($0.name) })]
    } catch let error as ResolutionError {
      throw ResolveFault(error.field.under(place), error.detail)
    } catch let fault as ResolveFault {
      throw fault
    } catch {
      throw ResolveFault("\(error)")
    }
  }

  private func versions(_ list: [StateValue], at place: JSONPointer) throws(ResolveFault) -> [StateVersion] {
    var versions: [StateVersion] = []
    versions.reserveCapacity(list.count)
    for (index, value) in list.enumerated() {
      do {
        versions.append(try StateVersion(json: value))
      } catch {
        throw ResolveFault(error.field.under(place.appending(index)), error.problem)
      }
    }
    return versions
  }

  /// The key that the versions must have, if the document names one; the versions; and where they stand.
  private func parts(
    of json: StateValue
  ) throws(ResolveFault) -> (key: String?, versions: [StateValue], place: JSONPointer) {
    let place = JSONPointer("versions")
    switch json {
    case .array(let versions): return (nil, versions, .root)
    case .object(let object):
      for field in object.fields where field.name != "state_key" && field.name != "versions" {
        throw ResolveFault(JSONPointer(field.name.string), "a request has no such field")
      }
      guard let value = object["versions"] else { throw ResolveFault(place, "the field is missing") }
      guard case .array(let versions) = value else {
        throw ResolveFault(place, "must be an array, not \(value.kindName)")
      }
      return (try key(object["state_key"]), versions, place)
    default: throw ResolveFault(.root, "must be an array of versions or an object that has them, not \(json.kindName)")
    }
  }

  private func key(_ value: StateValue?) throws(ResolveFault) -> String {
    let place = JSONPointer("state_key")
    guard let value else { throw ResolveFault(place, "the field is missing") }
    guard let text = value.stringValue else {
      throw ResolveFault(place, "must be a string, not \(value.kindName)")
    }
    do {
      return try StateKey(text).name.string
    } catch {
      throw ResolveFault(place, error.problem)
    }
  }
}

/// Why a document has no answer: on standard error in one line, with `--lines` as JSON.
package struct ResolveFault: Error, CustomStringConvertible {
  package let field: JSONPointer
  package let detail: String

  package init(_ field: JSONPointer, _ detail: String) {
    self.field = field
    self.detail = detail
  }

  package init(_ detail: String) {
    self.init(.root, detail)
  }

  package init(_ error: JSONError) {
    self.init(error.pointer, "line \(error.line), column \(error.column) (byte \(error.offset)): \(error.detail)")
  }

  package var description: String {
    field.isRoot ? detail : "\(field): \(detail)"
  }

  package var json: StateValue {
    ["error": ["field": StateValue(field.text), "detail": StateValue(detail)]]
  }
}
