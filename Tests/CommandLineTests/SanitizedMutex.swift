#if THREAD_SANITIZER
  import MoaiFlow

  typealias Mutex = MoaiFlow.Mutex
#endif
