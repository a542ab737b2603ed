import MoaiCRDT
import MoaiFlow

/// Everything that takes part in a run.
final class SimulatedWorld: Sendable {
  let log: RunLog
  let disk: SimulatedDisk
  let host: SimulatedHost
  let courier = Courier()
  let coordinator = SwarmCoordinator(clock: SimulatedClock())
  let agents: [SimulatedAgent]
  let pollers: [SimulatedReader]
  let followers: [SimulatedReader]
  let devices: [SimulatedDevice]
  let clock = SimulatedClock()

  init(seed: UInt64, isTracing: Bool) {
    let log = RunLog(isTracing: isTracing)
    self.log = log
    var random = SplitMix64(seed: seed ^ 0x5EED)
    disk = SimulatedDisk(seed: random.next(), largestBatch: [1, 3, 4096][random.below(3)])
    let ids = SeededIDs(seed: random.next())
    let wall = disk.time
    var options = SwarmOptions(
      makeCommandID: { ids.commandID() },
      monotonicMilliseconds: { SimulatedClock().now.nanoseconds / 1_000_000 }, wallMilliseconds: { wall.now })
    options.batchEntries = [1, 2, 8, 4096][random.below(4)]
    options.checkpointEntries = [2, 5, 20, 1_000][random.below(4)]
    options.feedCapacity = [1, 4, 8192][random.below(3)]
    options.pendingEntries = random.below(5) == 0 ? 2 : 65_536
    let host = SimulatedHost(disk: disk, options: options, log: log)
    self.host = host
    let courier = courier
    func link() -> SimulatedLink { SimulatedLink(host: host, courier: courier, seed: random.next()) }
    agents = Workload.agents.map { SimulatedAgent(name: $0, link: link(), log: log) }
    func reader(_ name: String) -> SimulatedReader {
      SimulatedReader(name: name, link: link(), host: host, log: log, seed: random.next())
    }
    pollers = [reader("poller-1"), reader("poller-2"), reader("sleeper")]
    followers = [reader("follower-1"), reader("follower-2")]
    devices = ["erin", "frank", "grace"].enumerated().map { number, agent in
      // Most clocks are about right; what one writes whose clock is far ahead is kept, and told.
      let skew = [0, 0, -7_000, 2_000, 50_000, 7_200_000][random.below(number == 2 ? 6 : 4)]
      let sources = Replica.Sources(now: { wall.now + Int64(skew) }, newID: { ids.replicaID() })
      return SimulatedDevice(
        name: "device-\(number + 1)", agent: agent, link: link(), sources: sources, log: log, seed: random.next())
    }
  }

  private var links: [SimulatedLink] {
    agents.map(\.link) + pollers.map(\.link) + followers.map(\.link) + devices.map(\.link)
  }

  func begin() async {
    await host.start()
    for follower in followers { follower.follow() }
    for device in devices { await device.start() }
    for agent in agents.prefix(3) { await agent.openSession(at: coordinator) }
  }

  /// Does what a step says.
  func perform(_ step: SimulationPlan.Step) async {
    var dice = SplitMix64(seed: step.seed)
    let agent = agents[dice.below(agents.count)]
    let link = links[dice.below(links.count)]
    let device = devices[dice.below(devices.count)]
    switch step.kind {
    case .write: await agent.write(dice)
    case .readModifyWrite: await agent.readModifyWrite(dice)
    case .settings: await agent.replaceSettings(dice)
    case .read: await agent.read(dice)
    case .poll: await pollers[dice.below(8) == 0 ? 2 : dice.below(2)].poll(dice)
    case .breakFeed: followers[dice.below(followers.count)].breakFeed()
    case .fullSync: await synchronize(dice)
    case .openSession:
      if dice.below(3) == 0 {
        await coordinator.unregister(agent.name)
      } else {
        await agent.openSession(at: coordinator)
      }
    case .cutLink:
      let direction = dice.below(3)
      link.change { ($0.requestsAreCut, $0.answersAreCut) = (direction != 0, direction != 1) }
      await clock.pass(dice.below(3_000))
      link.change { ($0.requestsAreCut, $0.answersAreCut) = (false, false) }
    case .badNetwork:
      let (loss, copies, delay) = (dice.below(60), dice.below(60), [20, 200, 1_000][dice.below(3)])
      for link in links {
        link.change { ($0.lossPercent, $0.duplicationPercent, $0.longestDelay) = (loss, copies, delay) }
      }
      await clock.pass(dice.below(4_000))
      for link in links {
        link.change { ($0.lossPercent, $0.duplicationPercent, $0.longestDelay) = (0, 0, 20) }
      }
    case .crash:
      await host.crash()
      await clock.pass(dice.below(600))
      await host.start()
    case .restart:
      await host.shutDown()
      await clock.pass(dice.below(100))
      await host.start()
    case .appendFault:
      let faults = SimulatedDisk.AppendFault.allCases
      disk.willAppend(faults[dice.below(faults.count)])
      // Now and then it meets a whole batch.
      guard dice.below(2) == 0 else { break }
      for agent in agents {
        let own = SplitMix64(seed: dice.next())
        courier.send { await agent.write(own) }
      }
    case .saveFault: disk.willFailSave()
    case .readFault: disk.willFailRead()
    case .clockJump: disk.time.jump(by: [-3_600_000, -5_000, 3_000, 3_600_000, 25 * 3_600_000][dice.below(5)])
    case .writeOffline:
      // Now and then all of them do the same at the same instant.
      let isTogether = dice.below(8) == 0
      for device in isTogether ? devices : [device] { await device.write(dice) }
    case .spendOffline:
      if dice.below(4) == 0 { await agent.openBudget(dice) }
      await device.spend(dice)
    case .exchange:
      guard dice.below(8) == 0 else {
        await device.exchange()
        break
      }
      // All at once, as when the network comes back.
      for device in devices { courier.send { await device.exchange() } }
    case .meet: await device.meet(devices[dice.below(devices.count)])
    case .crashDevice: await crash(device, &dice)
    case .deviceFault:
      let faults = SimulatedFiles.Fault.allCases
      device.files.willMeet(faults[dice.below(faults.count)])
    case .closeReplica: await close(device)
    case .newcomer: await newcomer(device, &dice)
    case .twins: await twins(device, &dice)
    case .busyDevice: await busy(device, &dice)
    case .backUp: await attempt { try await self.disk.backUp() }
    case .restoreBackup: await restoreBackup(dice)
    }
    await host.restartIfStopped()
  }

  private func restoreBackup(_ dice: SplitMix64) async {
    var dice = dice
    guard await host.pause() else { return }
    log.noteRestored()
    await clock.pass(dice.below(50))
    await attempt { try await self.disk.restoreBackup() }
    host.resume()
    await host.start()
  }

  private func attempt(_ body: () async throws -> Void) async {
    do { try await body() } catch { log.violation("simulation", "\(error)") }
  }

  /// A full sync by somebody close to the swarm; the agents answer as they please.
  private func synchronize(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let (key, _) = workload.key()
    guard !Workload.tallies.contains(key.name.string) else { return }
    let id = workload.commandID()
    let reader = SimulatedStateAccess(
      connection: agents[workload.below(agents.count)].link, coordinator: coordinator)
    do {
      let report = try await reader.synchronize(
        key.name.string, timeout: .milliseconds(workload.chance(70) ? 400 : 60),
        quorum: workload.chance(70) ? nil : workload.below(4), id: id, clock: clock)
      log.note(.success(report), of: id, key: key)
    } catch {
      log.note(.failure(error), of: id, key: key)
    }
  }

  /// Ends all trouble, lets everything arrive, and lets every reader come to the end.
  func putRight() async {
    if !(await courier.settle(within: 120_000)) { log.violation("simulation", "a step does not end") }
    for link in links { link.heal() }
    disk.forgetFaults()
    await host.restartIfStopped()
    for agent in agents { await coordinator.unregister(agent.name) }
    // Late answers to full syncs are writes too.
    await clock.pass(5_000)
    await bringDevicesHome()
    for poller in pollers {
      if !(await poller.poll(SplitMix64(seed: 1), isPatient: true)) {
        log.violation("§5.3", "\(poller.name) does not come to the end of the changes")
      }
    }
    for follower in followers { follower.breakFeed() }
    await clock.pass(3_000)
    for follower in followers { await follower.leave() }
    if let swarm = host.running?.swarm, let answer = try? await swarm.answer(.status), case .status(let status) = answer
    {
      log.note(status)
    } else {
      log.violation("§10.1", "the swarm does not serve although nothing is wrong any more")
    }
  }
}

/// Shared state over a simulated link, for whoever asks for a full sync.
struct SimulatedStateAccess: StateAccess {
  let connection: any SwarmConnection
  let coordinator: any Coordinator
}
