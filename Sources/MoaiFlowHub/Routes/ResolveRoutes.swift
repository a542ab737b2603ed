import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let resolveRoutes: [Route] = [
    Route(.post, "/v1/resolve", "Make one version of many, without a swarm", needs: .read) { request, _ in
      let json = try request.json()
      let resolver = ResolveRequest(strategy: try strategy(in: json, orElse: nil))
      do throws(ResolveFault) {
        return .json(try resolver.answer(json.without("strategy")))
      } catch {
        throw Problem(error)
      }
    },
    Route(.post, "/v1/detect", "Which keys have versions in conflict", needs: .read) { request, _ in
      _ = try request.object(allowing: ["strategy", "versions"])
      let json = try request.json()
      let resolver = ResolveRequest(strategy: try strategy(in: json, orElse: .vector))
      do throws(ResolveFault) {
        return .json(try resolver.conflicts(in: json))
      } catch {
        throw Problem(error)
      }
    },
  ]

  private static func strategy(
    in json: StateValue, orElse standard: ResolutionStrategy?
  ) throws(Problem) -> ResolutionStrategy {
    guard case .object = json else { throw .invalid("", "must be an object") }
    guard let given = json["strategy"] else {
      if let standard { return standard }
      throw .invalid("/strategy", "the field is missing")
    }
    guard let strategy = given.stringValue.flatMap({ ResolutionStrategy(name: $0) }) else {
      throw .invalid("/strategy", "must be one of lww, vector, crdt")
    }
    return strategy
  }
}

extension StateValue {
  fileprivate func without(_ name: UTF8String) -> StateValue {
    guard case .object(let object) = self else { return self }
    return .object(StateObject(ascending: object.fields.filter { $0.name != name }))
  }
}

extension Problem {
  init(_ fault: ResolveFault) {
    self.init(
      .unprocessableContent, "invalid", fault.description, field: fault.field.isRoot ? nil : fault.field.text)
  }
}
