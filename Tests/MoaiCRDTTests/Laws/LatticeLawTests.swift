import MoaiCRDT
import MoaiFlowTesting
import Testing

/// Every small case, and long random ones, of every lattice beside its model.
@Suite("§4.9 laws") struct LatticeLawTests {
  @Test("§4.9 §4.2 every run of four steps on three replicas keeps the laws and agrees with the model")
  func everySmallRunOfACounter() { exhaust(CounterSpecification.self) }

  @Test("§4.9 every small run of a last-writer register")
  func everySmallRunOfALastWriterRegister() { exhaust(LWWRegisterSpecification.self) }

  @Test("§4.9 §4.2 every small run of a multi-value register")
  func everySmallRunOfAMultiValueRegister() { exhaust(MVRegisterSpecification.self) }

  @Test("§4.9 §4.2 every small run of a set")
  func everySmallRunOfASet() { exhaust(SetSpecification.self) }

  @Test("§4.9 §4.2 every small run of an add-wins map")
  func everySmallRunOfAnAddWinsMap() { exhaust(ORMapSpecification.self) }

  @Test("§4.9 every small run of a nested add-wins map")
  func everySmallRunOfANestedMap() { exhaust(NestedMapSpecification.self) }

  @Test("§4.9 every small run of a last-writer map")
  func everySmallRunOfALastWriterMap() { exhaust(LWWMapSpecification.self) }

  @Test("§4.9 long random runs keep the laws and agree with the model", arguments: UInt64(1)...12)
  func longRandomRuns(seed: UInt64) {
    #expect(LatticeSearch<CounterSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<LWWRegisterSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<MVRegisterSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<SetSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<ORMapSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<NestedMapSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<LWWMapSpecification>.wander(seed: seed, replicas: 5, length: 60) == [])
    #expect(LatticeSearch<WideSetSpecification>.wander(seed: seed, replicas: 4, length: 150) == [])
  }

  func exhaust<Specification: LatticeSpecification>(_: Specification.Type) {
    let (violations, runs) = LatticeSearch<Specification>.exhaust(replicas: 3, length: 4)
    #expect(violations == [])
    // Sequences of operations alone, the first by replica 0; merges come on top.
    let operations = Specification.operations.count
    #expect(runs > operations * (3 * operations) * (3 * operations) * (3 * operations))
  }
}

/// The same set with so many elements that tables grow, slots are taken again and logs are swept.
enum WideSetSpecification: LatticeSpecification {
  typealias Operation = SetSpecification.Operation

  static let operations: [Operation] =
    (0..<40).map { .insert(UTF8String("element-\($0)")) } + (0..<40).map { .remove(UTF8String("element-\($0)")) }

  static func apply(
    _ logged: LoggedOperation<Operation>, to state: inout ORSet<UTF8String>
  ) -> ORSet<UTF8String> {
    SetSpecification.apply(logged, to: &state)
  }

  static func view(_ state: ORSet<UTF8String>) -> Set<UTF8String> { SetSpecification.view(state) }

  static func expected(_ log: [LoggedOperation<Operation>], known: Set<Int>) -> Set<UTF8String> {
    SetSpecification.expected(log, known: known)
  }
}
