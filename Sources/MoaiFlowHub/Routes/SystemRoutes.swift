import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let systemRoutes: [Route] = [
    Route(.get, "/healthz", "Whether the process lives", needs: .none) { _, hub in
      .json(["status": "ok", "id": StateValue(hub.id)])
    },
    Route(.get, "/readyz", "Whether every swarm has replayed its journal", needs: .none) { request, hub in
      guard hub.isReady else {
        var problem = Problem(.serviceUnavailable, "not_ready", "journals are being replayed")
        problem.retryAfter = 1
        throw problem
      }
      var swarms: [StateValue] = []
      for swarm in await hub.swarms.running where request.caller.sees(swarm.name) {
        let status = try await swarm.status()
        swarms.append([
          "swarm": .string(status.name.name), "epoch": StateValue(status.epoch.description),
          "revision": .int(status.revision),
        ])
      }
      let failed = await hub.swarms.failed.filter { request.caller.sees($0) }
      return .json([
        "status": "ready", "durability": "fsync", "lag": 0, "streams": .int(Int64(hub.streams.count)),
        "swarms": .array(swarms), "failed": .array(failed.map { .string($0.name) }),
      ])
    },
    Route(.get, "/metrics", "What was counted and measured, for Prometheus", needs: .read) { request, hub in
      HubResponse(body: .text(try await hub.metrics(for: request.caller), type: PrometheusText.contentType))
    },
    Route(.get, "/openapi.json", "This interface, as OpenAPI 3.1", needs: .none) { _, _ in .json(OpenAPI.document) },
  ]
}
