#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The clocks of the machine, for shells: the core gets its time from outside.
enum SystemTime {
  /// Of a clock that never goes back, and that goes on while the machine sleeps where there is such a clock.
  static var monotonicMilliseconds: Int64 {
    #if os(Linux)
      milliseconds(of: CLOCK_BOOTTIME)
    #else
      milliseconds(of: CLOCK_MONOTONIC)
    #endif
  }

  /// Since 1970.
  static var wallMilliseconds: Int64 { milliseconds(of: CLOCK_REALTIME) }

  private static func milliseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }
}
