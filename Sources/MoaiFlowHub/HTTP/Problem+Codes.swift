extension Problem {
  /// Every word that `code` may be, in the order of the alphabet: programs may rely on there being no other.
  static let codes = [
    "bound_exceeded", "busy", "changed_since_planned", "clock_ahead", "condition_failed", "corrupt",
    "counter_overflow", "disk_full", "engine_failed", "forbidden", "future_revision", "headers_too_large",
    "idempotency_mismatch",
    "internal", "invalid", "limit", "malformed", "memory_full", "method_not_allowed", "no_tokens", "not_acceptable",
    "not_allowed", "not_damaged", "not_found", "not_reached", "not_ready", "not_reservable", "not_supported",
    "not_yours", "out_of_order", "outcome_unknown", "quorum_not_reached", "rate_limited", "refused",
    "replica_closed", "replica_forked", "request_timeout", "shutting_down", "strategy_mismatch", "swarm_exists",
    "too_large",
    "too_many_agents", "too_many_refused", "too_many_siblings", "trimmed", "type_mismatch", "unauthorized",
    "unknown_agent", "unknown_key",
    "unknown_replica", "unknown_request", "unknown_swarm", "unknown_token", "unsupported_media_type",
    "value_too_large", "wrong_host", "wrong_origin",
  ]
}
