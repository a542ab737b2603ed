import NIOCore

/// Takes the bytes of an event stream apart (WHATWG HTML, section 9.2).
struct EventParser {
  struct Event: Equatable {
    var name = "message"
    var id: String?
    var data = ""
  }

  /// Bytes of one event at most; a hub's pages are far smaller.
  private static let limit = 64 << 20

  private var line: [UInt8] = []
  private var event = Event()
  private var hasData = false

  init() {}

  /// The events that are whole with these bytes.
  mutating func take(_ bytes: ByteBuffer) throws(EventTooLong) -> [Event] {
    var events: [Event] = []
    for byte in bytes.readableBytesView {
      guard byte == UInt8(ascii: "\n") else {
        if byte != UInt8(ascii: "\r") { line.append(byte) }
        continue
      }
      guard line.count + event.data.utf8.count <= EventParser.limit else { throw EventTooLong() }
      if line.isEmpty {
        if hasData { events.append(event) }
        event = Event()
        hasData = false
      } else {
        takeLine()
      }
      line.removeAll(keepingCapacity: true)
    }
    guard line.count <= EventParser.limit else { throw EventTooLong() }
    return events
  }

  private mutating func takeLine() {
    let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    var value = parts.count > 1 ? parts[1] : []
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    let text = String(decoding: value, as: UTF8.self)
    switch String(decoding: parts[0], as: UTF8.self) {
    case "event": event.name = text
    case "id": event.id = text
    case "data":
      event.data += hasData ? "\n" + text : text
      hasData = true
    default: break
    }
  }
}

struct EventTooLong: Error {}
