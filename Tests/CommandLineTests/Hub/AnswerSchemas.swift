import Foundation
import MoaiCRDT
import MoaiFlow
import Synchronization
import Testing

/// The answers that the hub's own OpenAPI document promises. Whatever a test asks of a hub is held against it.
struct AnswerSchemas {
  private struct Operation {
    let method: String
    /// Nil: any segment.
    let segments: [String?]
    let responses: StateValue
  }

  private static let shared = Mutex<AnswerSchemas?>(nil)

  /// All hubs of a test run are one program, so one document is enough.
  static func of(_ hub: HubAddress) throws -> AnswerSchemas {
    if let known = shared.withLock({ $0 }) { return known }
    let document = try hub.send("GET", "/openapi.json").json()
    let schemas = AnswerSchemas(document)
    shared.withLock { $0 = schemas }
    return schemas
  }

  private var operations: [Operation] = []

  init(_ document: StateValue) {
    for path in document["paths"]?.objectValue?.fields ?? [] {
      let segments = path.name.string.split(separator: "/").map { $0.hasPrefix("{") ? nil : String($0) }
      for operation in path.value.objectValue?.fields ?? [] {
        operations.append(
          Operation(
            method: operation.name.string.uppercased(), segments: segments,
            responses: operation.value["responses"] ?? .null))
      }
    }
  }

  /// Why an answer is not as the document says; nil: it is.
  func fault(of answer: HubAddress.Answer, to method: String, _ path: String) -> String? {
    guard let operation = operation(method, path) else { return nil }
    let isProblem = answer.status >= 400
    guard let response = operation.responses[isProblem ? "default" : "\(answer.status)"] else {
      return "\(method) \(path): \(answer.status) is not in the document"
    }
    guard let contents = response["content"] else { return answer.body.isEmpty ? nil : "a body that nobody promised" }
    let type = answer.headers["content-type"].map { String($0.prefix { $0 != ";" }) } ?? ""
    guard let content = contents[type] else { return "\(method) \(path): \(type) is not in the document" }
    guard !isProblem, type == "application/json", let schema = content["schema"] else { return nil }
    guard let json = try? JSONParser().parse(answer.body) else { return "no JSON: \(answer.body)" }
    return AnswerSchemas.fault(of: json, schema, "\(method) \(path)")
  }

  private func operation(_ method: String, _ path: String) -> Operation? {
    let segments = path.prefix { $0 != "?" }.split(separator: "/").map(String.init)
    return operations.first { operation in
      operation.method == method && operation.segments.count == segments.count
        && zip(operation.segments, segments).allSatisfy { $0 == nil || $0 == $1 }
    }
  }

  private static func fault(of json: StateValue, _ schema: StateValue, _ place: String) -> String? {
    if let choices = schema["anyOf"]?.arrayValue {
      return choices.contains { fault(of: json, $0, place) == nil } ? nil : "\(place) is \(json.kindName)"
    }
    if let words = schema["enum"]?.arrayValue, !words.contains(json) { return "\(place) is \(json)" }
    switch schema["type"]?.stringValue {
    case "string": return json.stringValue == nil ? "\(place) is \(json.kindName), no string" : nil
    case "integer": return json.intValue == nil ? "\(place) is \(json.kindName), no integer" : nil
    case "boolean": if case .bool = json { return nil } else { return "\(place) is \(json.kindName), no boolean" }
    case "null": return json == .null ? nil : "\(place) is \(json.kindName), not null"
    case "array":
      guard let elements = json.arrayValue else { return "\(place) is \(json.kindName), no array" }
      guard let items = schema["items"] else { return nil }
      return elements.enumerated().lazy.compactMap { fault(of: $1, items, "\(place)/\($0)") }.first
    case "object":
      guard let object = json.objectValue else { return "\(place) is \(json.kindName), no object" }
      for name in schema["required"]?.arrayValue ?? [] where object[name.stringValue ?? ""] == nil {
        return "\(place) has no \(name)"
      }
      return (schema["properties"]?.objectValue?.fields ?? []).lazy.compactMap { property in
        object[property.name].flatMap { fault(of: $0, property.value, "\(place)/\(property.name)") }
      }.first
    default: return nil
    }
  }
}
