import Testing

#if THREAD_SANITIZER
  import MoaiFlow

  typealias Mutex = MoaiFlow.Mutex
#endif

extension Trait where Self == TimeLimitTrait {
  /// How long a test may hang before it fails. All tests run at once, and the sanitizer makes them ten times slower.
  static var patience: Self {
    #if THREAD_SANITIZER
      .timeLimit(.minutes(15))
    #else
      .timeLimit(.minutes(5))
    #endif
  }
}
