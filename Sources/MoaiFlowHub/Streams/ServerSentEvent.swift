import MoaiCRDT
import MoaiFlow
import NIOCore

/// The text form of an event stream (WHATWG HTML, section 9.2).
enum ServerSentEvent {
  /// What every stream begins with: how long a client waits before it comes back, in milliseconds.
  static let preamble = ByteBuffer(string: "retry: 1000\n\n")
  /// A comment, so that nobody on the way takes the connection for dead.
  static let comment = ByteBuffer(string: ":\n\n")

  /// The last event of a stream whose reader is still there.
  static func end(_ reason: StreamEnd) -> ByteBuffer {
    buffer("end", id: nil, ["reason": StateValue(reason.rawValue)])
  }

  /// - Parameter id: where a reader resumes that has taken the event; nil: there is no such place.
  static func buffer(_ name: String, id: Cursor?, _ data: StateValue) -> ByteBuffer {
    var writer = JSONWriter(style: .spaced, reservingCapacity: 256)
    writer.append(data)
    var buffer = ByteBuffer()
    buffer.reserveCapacity(writer.bytes.count + 96)
    buffer.writeString("event: \(name)\n")
    if let id { buffer.writeString("id: \(id)\n") }
    // JSON on one line has no line feeds.
    buffer.writeString("data: ")
    buffer.writeBytes(writer.bytes)
    buffer.writeString("\n\n")
    return buffer
  }
}
