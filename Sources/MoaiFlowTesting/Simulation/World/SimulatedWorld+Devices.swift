import MoaiCRDT
import MoaiFlow

/// What happens to devices: each undoes itself, as every step.
extension SimulatedWorld {
  /// A device goes and comes back: with its files, with an old copy of them, with a copy of another's, or with none.
  func crash(_ device: SimulatedDevice, _ dice: inout SplitMix64) async {
    if dice.below(3) == 0 { device.files.copy() }
    switch dice.below(8) {
    case 0:
      log.note(event: "\(device.name) loses its files")
      await device.comeBack(with: nil)
    case 1:
      log.note(event: "\(device.name) gets an old copy of its files")
      if let old = device.files.oldestCopy { await device.comeBack(with: old) }
    case 2:
      let other = devices[dice.below(devices.count)]
      log.note(event: "\(device.name) gets the files of \(other.name)")
      if other !== device { await device.comeBack(with: other.files.records) }
    default:
      log.note(event: "\(device.name) crashes")
      device.crash()
      await clock.pass(dice.below(300))
      await device.start()
    }
  }

  /// Somebody closes a replica that is still there.
  func close(_ device: SimulatedDevice) async {
    guard let replica = await device.replica?.id else { return }
    _ = try? await agents[0].link.closeReplica(replica)
  }

  /// Comes without anything, takes a copy of the swarm, and tells another device, which had it before something was
  /// deleted.
  func newcomer(_ device: SimulatedDevice, _ dice: inout SplitMix64) async {
    let other = devices[dice.below(devices.count)]
    guard other !== device else { return }
    log.note(event: "\(device.name) begins anew, and meets \(other.name)")
    let known = await other.replica?.keys() ?? []
    await agents[dice.below(agents.count)].delete(dice, from: known)
    await device.comeBack(with: nil)
    await device.exchange()
    await device.meet(other)
  }

  /// Two devices have the same files, and both go on: one of them meets a third, and may be lost then; they come to the
  /// swarm at once.
  func twins(_ device: SimulatedDevice, _ dice: inout SplitMix64) async {
    let (twin, third) = (devices[dice.below(devices.count)], devices[dice.below(devices.count)])
    guard twin !== device else { return }
    log.note(event: "\(twin.name) gets the files of \(device.name), and both go on")
    await twin.comeBack(with: device.files.records)
    for _ in 0...dice.below(3) {
      let same = SplitMix64(seed: dice.next())
      for one in [device, twin] { await one.enter(same) }
      if dice.below(3) == 0 { await [device, twin][dice.below(2)].write(SplitMix64(seed: dice.next())) }
    }
    if dice.below(2) == 0 {
      await twin.meet(third)
      if dice.below(3) == 0 { await twin.comeBack(with: nil) }
    }
    for one in [device, twin] { courier.send { await one.exchange() } }
  }

  /// Writes while it exchanges with the swarm or another device, on a disk that is slow or fails, and crashes.
  func busy(_ device: SimulatedDevice, _ dice: inout SplitMix64) async {
    let other = devices[dice.below(devices.count)]
    log.note(event: "\(device.name) is busy")
    let faults = SimulatedFiles.Fault.allCases
    if dice.below(2) == 0 { device.files.willMeet(.slow) }
    if dice.below(2) == 0 { device.files.willMeet(faults[dice.below(faults.count)]) }
    let isMeeting = dice.below(2) == 0
    courier.send {
      if isMeeting { await device.meet(other) } else { await device.exchange() }
    }
    // The first commit may be the exchange's, and what is written then waits for the next.
    await clock.pass(dice.below(120))
    for _ in 0..<(1 + dice.below(6)) {
      let own = SplitMix64(seed: dice.next())
      courier.send { await device.write(own) }
      await clock.pass(dice.below(20))
    }
    await clock.pass(dice.below(400))
    guard dice.below(2) == 0 else { return }
    device.crash()
    await device.start()
  }

  /// What was written under ids whose files are gone will not come. Somebody looks at the list, and closes those that no
  /// device writes under, or has given up itself.
  private func closeLostReplicas() async {
    var known = await replicaIDs()
    for device in devices { known.formUnion(await device.replica?.abandonedIDs ?? []) }
    for _ in 0..<6 {
      do {
        for status in try await agents[0].link.replicas() where !status.isClosed && !known.contains(status.replica) {
          try await agents[0].link.closeReplica(status.replica)
        }
        return
      } catch {
        await clock.pass(50)
      }
    }
    log.violation("§5.6", "nobody can close the replicas that are lost")
  }

  /// The ids under which devices write now.
  func replicaIDs() async -> Set<ReplicaID> {
    var ids: Set<ReplicaID> = []
    for device in devices {
      if let id = await device.replica?.id { ids.insert(id) }
    }
    return ids
  }

  /// Every device exchanges with the swarm until nobody lacks anything.
  func bringDevicesHome() async {
    for device in devices { device.files.forgetFaults() }
    for round in 0..<3 {
      if round == 1 { await closeLostReplicas() }
      for device in devices {
        var attempts = 0
        while !(await device.exchange()) {
          attempts += 1
          if attempts == 6 {
            if round == 2 { log.violation("§5.6", "\(device.name) does not come to an exchange") }
            break
          }
          await clock.pass(100)
        }
      }
    }
  }
}
