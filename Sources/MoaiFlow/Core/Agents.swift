/// The small number that stands for an agent's name inside the core.
package typealias AgentIndex = UInt32

/// Every agent that ever wrote, numbered in the order in which their names first entered the journal.
///
/// Numbers are part of the state: replay gives the same ones. A comparison of agents for the last-write-wins order
/// goes by name, never by number.
struct Agents: Sendable {
  private(set) var names: [AgentID] = []
  private var numbers: [AgentID: AgentIndex] = [:]
  /// How many of `names` the last checkpoint holds.
  var checkpointed = 0

  subscript(index: AgentIndex) -> AgentID { names[Int(index)] }

  func number(of name: AgentID) -> AgentIndex? { numbers[name] }

  /// O(1). A name that is new takes the next number.
  mutating func index(of name: AgentID) -> AgentIndex {
    if let known = numbers[name] { return known }
    let index = AgentIndex(names.count)
    names.append(name)
    numbers[name] = index
    return index
  }
}
