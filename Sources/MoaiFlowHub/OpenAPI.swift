import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// The interface as an OpenAPI 3.1 document, made from the routes themselves.
enum OpenAPI {
  static let document: StateValue = {
    var paths = WireFields()
    for (path, routes) in Dictionary(grouping: Route.all, by: \.path) {
      var operations = WireFields()
      for route in routes { operations.add(UTF8String(route.method.rawValue.lowercased()), operation(route)) }
      paths.add(UTF8String(path), operations.json)
    }
    return [
      "openapi": "3.1.0",
      "info": ["title": "MoaiFlow hub", "version": "1"],
      "paths": paths.json,
      "components": [
        "schemas": ["Problem": problem],
        "securitySchemes": ["token": ["type": "http", "scheme": "bearer"]],
      ],
    ]
  }()

  private static func operation(_ route: Route) -> StateValue {
    var parameters: [StateValue] = route.segments.map { name in
      ["name": StateValue(name), "in": "path", "required": true, "schema": ["type": "string"]]
    }
    parameters += route.query.sorted().map { name in
      ["name": StateValue(name), "in": "query", "required": false, "schema": ["type": "string"]]
    }
    let content: StateValue = ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]]
    var fields = WireFields()
    fields.add("summary", text: route.summary)
    fields.add("parameters", .array(parameters))
    if let schema = OpenAPIBodies.schema(of: route) {
      fields.add(
        "requestBody",
        [
          "required": .bool(!OpenAPIBodies.isOptional(route)), "content": ["application/json": ["schema": schema]],
        ])
    }
    // Without tokens nobody needs one.
    fields.add("security", route.permission == .none ? [] : [["token": []], [:]])
    fields.add("x-permission", text: route.permission.rawValue)
    fields.add("responses", OpenAPIAnswers.responses(of: route, problem: content))
    return fields.json
  }

  private static let problem: StateValue = [
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": [
      "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
      "detail": ["type": "string"], "field": ["type": "string"],
      "code": ["type": "string", "enum": .array(Problem.codes.map { StateValue($0) })],
    ],
  ]
}
