// swift-tools-version:6.2
import PackageDescription

let features: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "moai-flow",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "MoaiCRDT", targets: ["MoaiCRDT"]),
    .library(name: "MoaiFlow", targets: ["MoaiFlow"]),
    .library(name: "MoaiFlowSQLite", targets: ["MoaiFlowSQLite"]),
    .library(name: "MoaiFlowHub", targets: ["MoaiFlowHub"]),
    .library(name: "MoaiFlowClient", targets: ["MoaiFlowClient"]),
    .library(name: "MoaiFlowTesting", targets: ["MoaiFlowTesting"]),
    .executable(name: "moai-flow", targets: ["moai-flow"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    .target(name: "MoaiCRDT", swiftSettings: features),
    .target(
      name: "MoaiFlow",
      dependencies: ["MoaiCRDT", .product(name: "HeapModule", package: "swift-collections")],
      swiftSettings: features),
    .target(
      name: "MoaiFlowSQLite",
      dependencies: ["MoaiFlow", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: features),
    .target(
      name: "MoaiFlowClient",
      dependencies: [
        "MoaiCRDT", "MoaiFlow",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: features),
    .target(
      name: "MoaiFlowHub",
      dependencies: [
        "MoaiCRDT", "MoaiFlow",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: features),
    .target(
      name: "MoaiFlowTesting",
      dependencies: ["MoaiCRDT", "MoaiFlow", .product(name: "HeapModule", package: "swift-collections")],
      swiftSettings: features),
    .executableTarget(
      name: "moai-flow",
      dependencies: [
        "MoaiCRDT", "MoaiFlow", "MoaiFlowClient", "MoaiFlowHub", "MoaiFlowSQLite",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: features),
    .executableTarget(
      name: "example-worker", dependencies: ["MoaiFlow", "MoaiFlowClient"], path: "Examples/Swift",
      swiftSettings: features),
    .executableTarget(
      name: "simulate",
      dependencies: ["MoaiFlowTesting", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: features),
    .target(
      name: "FuzzTargets", dependencies: ["MoaiCRDT", "MoaiFlow"], path: "Fuzz/Targets", swiftSettings: features),
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Driver", swiftSettings: features),
    .testTarget(
      name: "MoaiCRDTTests", dependencies: ["MoaiCRDT", "MoaiFlowTesting"], swiftSettings: features),
    .testTarget(
      name: "MoaiFlowTests", dependencies: ["MoaiCRDT", "MoaiFlow", "MoaiFlowTesting"], swiftSettings: features),
    .testTarget(
      name: "MoaiFlowSQLiteTests",
      dependencies: [
        "MoaiFlow", "MoaiFlowSQLite", "MoaiFlowTesting", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: features),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "MoaiFlow", "MoaiFlowClient", "MoaiFlowSQLite", "MoaiFlowTesting", "example-worker", "moai-flow",
      ],
      swiftSettings: features),
    .testTarget(
      name: "SimulationTests",
      dependencies: ["MoaiCRDT", "MoaiFlow", "MoaiFlowTesting", "simulate"],
      exclude: ["PlantedBugs"],
      swiftSettings: features),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "MoaiCRDT", "MoaiFlow", "MoaiFlowTesting"],
      swiftSettings: features),
  ],
  swiftLanguageModes: [.v6]
)
