import ArgumentParser
import MoaiFlow

/// Why a command did not do what it was asked for: one line for a person, an exit code for a program.
struct Failure: Error {
  /// The exit codes beside 0.
  enum Status: Int32 {
    /// The answer is no: not found, refused, in conflict, damaged.
    case no = 1
    /// Wrong usage or input.
    case usage = 2
    /// The engine failed: the folder is in use, read-only, damaged, full.
    case engine = 3
  }

  let status: Status
  let message: String

  init(_ status: Status, _ message: String) {
    self.status = status
    self.message = message
  }
}

extension Failure {
  /// The place of an error that nobody on the way up gave one.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as SwarmError: self.init(error)
    case let error as JournalError: self.init(error)
    case let error as SkipRefusal:
      self.init(.no, error.description + (error.mayBeForced ? "; if none does, add --even-if-intact" : ""))
    case let error as NameError: self.init(.usage, error.description)
    case let error as JSONError: self.init(.usage, error.description)
    case let error as WireError: self.init(.usage, error.description)
    default: self.init(.engine, "\(error)")
    }
  }

  init(_ error: SwarmError) {
    switch error {
    case .refused(.settings(let refusal)): self.init(.usage, refusal.description)
    case .refused(let refusal): self.init(.no, refusal.description)
    case .trimmed, .quorumNotReached, .notReached, .denied: self.init(.no, error.description)
    case .invalid, .futureRevision: self.init(.usage, error.description)
    case .engine(let error): self.init(error)
    case .corrupt: self.init(.engine, "\(error); 'moai-flow check' says more")
    default: self.init(.engine, error.description)
    }
  }

  init(_ error: JournalError) {
    switch error {
    case .noSuchSwarm: self.init(.no, "\(error); 'moai-flow swarms list' names those that are")
    case .alreadyExists: self.init(.no, "\(error); take another name, or delete it first")
    case .invalid: self.init(.usage, error.description)
    case .readOnly: self.init(.engine, "\(error); allow writing there, or use another folder")
    case .corrupt, .damaged: self.init(.engine, "\(error); 'moai-flow check' says more")
    default: self.init(.engine, error.description)
    }
  }
}
