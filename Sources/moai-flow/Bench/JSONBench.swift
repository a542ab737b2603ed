import Foundation
import MoaiFlow

/// A document of about 800 bytes through the library's JSON codec and, in the same run, through Foundation's two.
struct JSONBench: BenchRound {
  private static let passes = 5_000
  private static let document = """
    {"state_key":"projects/alpha/tasks","versions":[{"agent_id":"agent-0001","metadata":{"attempt":2,"source":"planner"},\
    "state_key":"projects/alpha/tasks","timestamp":"2025-11-29T10:00:00.123Z","value":{"done":false,"priority":3,\
    "progress":0.75,"tags":["swift","crdt","journal"],"title":"Write the resolver"},"vector_clock":{"agent-0001":12,\
    "agent-0002":7,"agent-0003":4},"version":12},{"agent_id":"agent-0002","metadata":{"source":"worker"},\
    "state_key":"projects/alpha/tasks","timestamp":"2025-11-29T10:00:01.456Z","value":{"done":false,"priority":2,\
    "progress":0.5,"tags":["swift"],"title":"Write the resolver and its tests, then measure it on the machine of the targets, and say what missed and why"},"vector_clock":{"agent-0001":9,\
    "agent-0002":8},"version":9}]}
    """

  func measure() throws -> [BenchRow] {
    let bytes = Array(JSONBench.document.utf8)
    let data = Data(bytes)
    let value = try JSONParser().parse(bytes)
    try BenchFailure.check(JSONWriter.bytes(value), is: bytes, "json, the document")
    let object = try JSONSerialization.jsonObject(with: data)
    let codable = try JSONDecoder().decode(CodableJSON.self, from: data)

    let decode = try microseconds { try JSONParser().parse(bytes) }
    let encode = microseconds { JSONWriter.bytes(value) }
    let serializationDecode = try microseconds { try JSONSerialization.jsonObject(with: data) }
    let serializationEncode = try microseconds { try JSONSerialization.data(withJSONObject: object) }
    let codableDecode = try microseconds { try JSONDecoder().decode(CodableJSON.self, from: data) }
    let codableEncode = try microseconds { try JSONEncoder().encode(codable) }
    return [
      BenchRow("json", "decode \(bytes.count) bytes", "µs", decode, target: "≤ 10"),
      BenchRow("json", "encode them", "µs", encode, target: "≤ 10"),
      BenchRow("json", "JSONSerialization: decode", "µs", serializationDecode),
      BenchRow("json", "JSONSerialization: encode", "µs", serializationEncode),
      BenchRow("json", "JSONDecoder, any JSON", "µs", codableDecode),
      BenchRow("json", "JSONEncoder, any JSON", "µs", codableEncode),
      BenchRow(
        "json", "JSONSerialization beside ours, both ways", "ratio",
        (serializationDecode + serializationEncode) / (decode + encode)),
      BenchRow("json", "Codable beside ours, both ways", "ratio", (codableDecode + codableEncode) / (decode + encode)),
    ]
  }

  private func microseconds<Result>(_ body: () throws -> Result) rethrows -> Double {
    try BenchTime.ofThread {
      for _ in 0..<JSONBench.passes { blackHole(try body()) }
    } / Double(JSONBench.passes) * 1e6
  }
}

/// Takes a result, so that making it cannot be left out.
@inline(never)
private func blackHole<Value>(_ value: Value) {
  withExtendedLifetime(value) {}
}

/// Any JSON, as one writes it with Codable.
private enum CodableJSON: Codable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([CodableJSON])
  case object([String: CodableJSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([CodableJSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: CodableJSON].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .int(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
