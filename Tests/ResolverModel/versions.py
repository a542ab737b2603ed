"""`StateVersion` as §2.2 validates it, and the total order of §3.4."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Tuple

from values import INT64_MAX, MAX_DEPTH, MAX_VALUE_BYTES, Refused, Timestamp, canonical, depth, parse, read_timestamp

Clock = Tuple[Tuple[str, int], ...]

CRDT_TYPES = ("counter", "set", "map", "register")
REQUIRED = ("state_key", "value", "version", "timestamp", "agent_id")
OPTIONAL = ("logical", "vector_clock", "crdt_type", "crdt_state", "siblings", "metadata")
LIFTED = ("vector_clock", "crdt_type")


@dataclasses.dataclass(frozen=True)
class Version:
    """One version, read. `clock` is None when absent, and has no zeros (§1.4); `state` is what `crdt_state` stands for,
    known to the model only for versions that a resolution answered."""

    key: str
    value: bytes
    version: int
    timestamp: Timestamp
    agent: str
    clock: Optional[Clock]
    crdt_type: Optional[str]
    crdt_state: Optional[bytes]
    siblings: Optional[bytes]
    metadata: Dict[str, Any]
    order: Tuple[Timestamp, bytes, int, bytes, bytes]
    state: Any = None


def read_version(fields: Any) -> Version:
    """§2.2. `vector_clock` and `crdt_type` may stand at the top level or in `metadata` (interfaces, `resolve`)."""
    if not isinstance(fields, dict):
        raise Refused("§2.2", "a version is an object")
    for name in fields:
        if name not in REQUIRED and name not in OPTIONAL:
            raise Refused("§2.2", f"unknown field {name}", name)
    for name in REQUIRED:
        if name not in fields:
            raise Refused("§2.2", f"{name} is missing", name)
    metadata = fields.get("metadata", {})
    if not isinstance(metadata, dict):
        raise Refused("§2.2", "metadata is an object", "metadata")
    readings = [{read_clock(place["vector_clock"]) for place in (fields, metadata) if "vector_clock" in place},
                {read_type(place["crdt_type"]) for place in (fields, metadata) if "crdt_type" in place}]
    if any(len(reading) > 1 for reading in readings):
        raise Refused("§2.2", "two different clocks or types at the top level and in metadata")
    clock, crdt_type = (next(iter(reading), None) for reading in readings)
    value = canonical(fields["value"])
    if len(value) > MAX_VALUE_BYTES or depth(fields["value"]) > MAX_DEPTH:
        raise Refused("§2.1", "the value is over a limit", "value")
    state, siblings = (canonical(fields[name]) if name in fields else None for name in ("crdt_state", "siblings"))
    rest = {name: fields[name] for name in ("crdt_state", "siblings") if name in fields}
    if clock is not None:
        rest["vector_clock"] = dict(clock)
    if crdt_type is not None:
        rest["crdt_type"] = crdt_type
    key, agent, version = read_key(fields["state_key"]), read_agent(fields["agent_id"]), fields["version"]
    if type(version) is not int or not 0 <= version < INT64_MAX:
        raise Refused("§2.2", "a version is an integer from 0 to below 2^63 - 1", "version")
    timestamp = read_timestamp(fields["timestamp"], fields.get("logical"))
    # §3.4: (timestamp, agent, version, canonical value, canonical bytes of the rest without `metadata`)
    order = (timestamp, agent.encode(), version, value, canonical(rest))
    own = {name: item for name, item in metadata.items() if name not in LIFTED}
    return Version(key, value, version, timestamp, agent, clock, crdt_type, state, siblings, own, order)


def read_key(key: Any) -> str:
    """§1.1: 1-512 bytes of UTF-8, no control characters, not `.` or `..`."""
    if not isinstance(key, str) or not 1 <= len(key.encode("utf-8", "replace")) <= 512 or key in (".", ".."):
        raise Refused("§2.2", "not a key", "state_key")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in key):
        raise Refused("§1.1", "a control character in a key", "state_key")
    return key


def read_agent(agent: Any) -> str:
    """§1.1: the stateless resolver takes any non-empty agent id up to 512 bytes."""
    if not isinstance(agent, str) or not 1 <= len(agent.encode("utf-8", "replace")) <= 512:
        raise Refused("§2.2", "not an agent id", "agent_id")
    return agent


def read_clock(clock: Any) -> Optional[Clock]:
    """§1.4: replica → highest n; an entry of 0 is absent."""
    if clock is None:
        return None
    if not isinstance(clock, dict) or any(type(n) is not int or n < 0 for n in clock.values()):
        raise Refused("§1.4", "not a vector clock", "vector_clock")
    return tuple(sorted((replica, n) for replica, n in clock.items() if n > 0))


def read_type(crdt_type: Any) -> Optional[str]:
    if crdt_type is not None and crdt_type not in CRDT_TYPES:
        raise Refused("§2.2", "no such type", "crdt_type")
    return crdt_type


def read_document(text: str) -> List[Version]:
    """What `resolve` reads: `{"state_key", "versions"}` or a plain array of versions."""
    document = parse(text)
    key = None
    if isinstance(document, dict):
        if set(document) - {"state_key", "versions"} or "versions" not in document:
            raise Refused("§2.2", "a document has `state_key` and `versions`")
        key = read_key(document["state_key"]) if "state_key" in document else None
        document = document["versions"]
    if not isinstance(document, list):
        raise Refused("§2.2", "versions are an array", "versions")
    versions = [read_version(fields) for fields in document]
    if any(version.key != key for version in versions if key is not None):
        raise Refused("§3.3", "a version of another key", "state_key")
    return versions
