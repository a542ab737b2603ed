"""§3 of the semantics, from the rules alone and deliberately dumb: sets, sorted() and exact fractions.

The model knows what a join *is*, not how it is written: `crdt_state` stays opaque (the driver remembers which state an
answered `crdt_state` stands for), and where the rules leave a choice the outcome says what is allowed."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from values import INT64_MAX, INT64_MIN, Refused, Timestamp, canonical, is_number, value_of
from versions import Clock, Version

STRATEGIES = ("lww", "vector", "crdt")
DRIFT_BOUND_MS = 60_000


class Entry(NamedTuple):
    """§3.6: one element of the vector state."""

    clock: Clock
    value: bytes
    timestamp: Timestamp
    agent: bytes
    version: int


class Snapshot(NamedTuple):
    """§3.7: an agent's snapshot in the crdt state."""

    agent: bytes
    version: int
    timestamp: Timestamp
    value: bytes


class Shares(NamedTuple):
    """§3.7: agent → that agent's greatest snapshot, and the declared type."""

    snapshots: FrozenSet[Snapshot]
    declared: Optional[str]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a resolution must answer. `inputs` lists the inputs whose state equals the join: if there are any, one of
    them is returned unchanged (§3.1), and the fields below it describe the join only if there are none."""

    name: str
    inputs: Tuple[int, ...]
    state: Any
    value: bytes
    agent: bytes
    timestamp: Timestamp
    version: int
    clock: Optional[Clock] = None
    declared: Optional[str] = None
    view_type: Optional[str] = None
    siblings: Tuple[bytes, ...] = ()
    contributors: FrozenSet[bytes] = frozenset()
    # Agents of plain inputs that are not in the join; what was lost of an input's `crdt_state` may be named or not.
    discarded: FrozenSet[bytes] = frozenset()
    skew_ms: Optional[int] = None
    skew_is_certain: bool = True
    may_refuse: bool = False


def resolve(strategy: str, versions: Sequence[Version]) -> Outcome:
    """§3.1-§3.7. Raises `Refused` where §3.3 has an error."""
    check_inputs(strategy, versions)
    return {"lww": resolve_lww, "vector": resolve_vector, "crdt": resolve_crdt}[strategy](versions)


def check_inputs(strategy: str, versions: Sequence[Version]) -> None:
    """§3.3, all but what a join finds (a contribution that the type cannot hold, a sum outside Int64). Only the rule of
    `coordinator` says "under crdt"; the others hold for every strategy, but only under crdt is a value a contribution:
    elsewhere a value that denies its own declared type may be refused or not."""
    if not versions:
        raise Refused("§3.3", "no versions")
    if len({version.key for version in versions}) > 1:
        raise Refused("§3.3", "a version of another key", "state_key")
    if len({declared_type(version) for version in versions} - {None}) > 1:
        raise Refused("§3.3", "two different declared types")
    if strategy == "crdt":
        for version in versions:
            if version.crdt_state is None and version.agent == "coordinator":
                raise Refused("§3.3", "coordinator without crdt_state would count twice")
            if version.crdt_state is None and "merged_from_agents" in version.metadata:
                raise Refused("§3.3", "merged_from_agents without crdt_state would count twice")


def declared_type(version: Version) -> Optional[str]:
    """§3.7: what a join inferred is not declared, though the join may show it as its `crdt_type`."""
    return version.state.declared if isinstance(version.state, Shares) else version.crdt_type


def type_holds(crdt_type: Optional[str], value: bytes) -> bool:
    """§3.3, §3.7: counters hold numbers, sets arrays, maps objects, registers anything."""
    item = value_of(value)
    return {"counter": is_number(item), "set": isinstance(item, list), "map": isinstance(item, dict)}.get(
        crdt_type or "register", True)


def denies_its_type(versions: Sequence[Version]) -> bool:
    return any(version.state is None and not type_holds(version.crdt_type, version.value) for version in versions)


def next_version(versions: Sequence[Version]) -> int:
    """§3.2: the version of a join that is no input is max + 1."""
    return max(version.version for version in versions) + 1


# --- lww ------------------------------------------------------------------------------------------------------------


def resolve_lww(versions: Sequence[Version]) -> Outcome:
    """§3.5: the greatest in the order of §3.4 wins, unchanged."""
    greatest = max(version.order for version in versions)
    winners = tuple(index for index, version in enumerate(versions) if version.order == greatest)
    winner = versions[winners[0]]
    losers = [version for version in versions if version.order != greatest]
    skew_ms, certain = skew(winner, losers)
    return Outcome(
        "lww", winners, None, winner.value, winner.agent.encode(), winner.timestamp, winner.version,
        discarded=frozenset(version.agent.encode() for version in losers), skew_ms=skew_ms, skew_is_certain=certain,
        may_refuse=denies_its_type(versions))


def skew(winner: Version, losers: Sequence[Version]) -> Tuple[Optional[int], bool]:
    """§3.4: by how much the winner is ahead of all others, when by more than the drift bound. Counters within the
    millisecond of the bound are left open."""
    if not losers:
        return None, True
    second = max(version.timestamp for version in losers)
    ahead = winner.timestamp[0] - second[0]
    if ahead > DRIFT_BOUND_MS:
        return ahead, True
    return None, not (ahead == DRIFT_BOUND_MS and winner.timestamp[1] > second[1])


# --- vector ---------------------------------------------------------------------------------------------------------


def before(left: Clock, right: Clock) -> bool:
    """§1.4: `left` happened before `right`."""
    bound = dict(right)
    return left != right and all(n <= bound.get(replica, 0) for replica, n in left)


def join_clocks(clocks: Sequence[Clock]) -> Clock:
    replicas = {replica for clock in clocks for replica, _ in clock}
    return tuple(sorted((replica, max(dict(clock).get(replica, 0) for clock in clocks)) for replica in replicas))


def vector_state(version: Version) -> FrozenSet[Entry]:
    """§3.6: an absent or empty clock is {agent: version + 1}; a `crdt_state` is the state itself."""
    if version.state is not None:
        return version.state
    clock = version.clock or ((version.agent, version.version + 1),)
    return frozenset([Entry(clock, version.value, version.timestamp, version.agent.encode(), version.version)])


def join_vector(states: Sequence[FrozenSet[Entry]]) -> FrozenSet[Entry]:
    """§3.6: the (clock, value) that no other clock dominates, each with its greatest (timestamp, agent, version)."""
    everything = frozenset().union(*states)
    kept = [entry for entry in everything if not any(before(entry.clock, other.clock) for other in everything)]
    return frozenset(
        max(other for other in kept if other[:2] == name) for name in {entry[:2] for entry in kept})


def resolve_vector(versions: Sequence[Version]) -> Outcome:
    states = [vector_state(version) for version in versions]
    join = join_vector(states)
    # §3.4 among those left; the clock only settles which of two equal values is called the sibling.
    ordered = sorted(join, key=lambda entry: (entry.timestamp, entry.agent, entry.version, entry.value, entry.clock))
    winner, others = ordered[-1], ordered[:-1]
    clocks = [entry.clock for state in states for entry in state]
    dominated = [version.agent.encode() for version, state in zip(versions, states) if version.state is None
                 and any(before(entry.clock, clock) for entry in state for clock in clocks)]
    return Outcome(
        "vector_concurrent_lww" if others else "vector_causal",
        tuple(index for index, state in enumerate(states) if state == join),
        join, winner.value, winner.agent, winner.timestamp, next_version(versions),
        clock=join_clocks(clocks),
        siblings=tuple(sorted(entry.value for entry in others)),
        contributors=frozenset(entry.agent for entry in join),
        discarded=frozenset(dominated), may_refuse=denies_its_type(versions))


# --- crdt -----------------------------------------------------------------------------------------------------------


def crdt_state(version: Version) -> Shares:
    """§3.7: agent → snapshot, and the declared type."""
    if version.state is not None:
        return version.state
    snapshot = Snapshot(version.agent.encode(), version.version, version.timestamp, version.value)
    return Shares(frozenset([snapshot]), version.crdt_type)


def join_crdt(states: Sequence[Shares]) -> Shares:
    """§3.7: each agent's greatest snapshot by (version, timestamp, canonical value), and the declared type."""
    everything = {snapshot for state in states for snapshot in state.snapshots}
    newest = frozenset(
        max(snapshot for snapshot in everything if snapshot.agent == agent)
        for agent in {snapshot.agent for snapshot in everything})
    declared = {state.declared for state in states} - {None}
    if len(declared) > 1:
        raise Refused("§3.3", "two different declared types")
    return Shares(newest, declared.pop() if declared else None)


def infer(snapshots: FrozenSet[Snapshot]) -> str:
    """§3.7, undeclared: all numbers → counter, all arrays → set, all objects → map, else register."""
    for crdt_type in ("counter", "set", "map"):
        if all(type_holds(crdt_type, snapshot.value) for snapshot in snapshots):
            return crdt_type
    return "register"


def view(crdt_type: str, snapshots: FrozenSet[Snapshot]) -> bytes:
    """§3.7, the table."""
    if not all(type_holds(crdt_type, snapshot.value) for snapshot in snapshots):
        raise Refused("§3.3", "a contribution that its type cannot hold")
    values = [value_of(snapshot.value) for snapshot in snapshots]
    if crdt_type == "counter":
        return canonical(exact_sum(values))
    if crdt_type == "set":
        elements = {canonical(element) for value in values for element in value}
        return b"[" + b",".join(sorted(elements)) + b"]"
    if crdt_type == "map":
        fields: Dict[str, Tuple[Timestamp, bytes, bytes]] = {}
        for snapshot in sorted(snapshots):
            for name, item in value_of(snapshot.value).items():
                candidate = (snapshot.timestamp, snapshot.agent, canonical(item))
                fields[name] = max(candidate, fields.get(name, candidate))
        return canonical({name: value_of(winner[2]) for name, winner in fields.items()})
    return max((snapshot.timestamp, snapshot.agent, snapshot.version, snapshot.value) for snapshot in snapshots)[3]


def exact_sum(numbers: List[Any]) -> Any:
    """§3.7: exact; ints stay ints; with doubles the exact sum rounded once. §3.3: not outside Int64."""
    total = sum((Fraction(number) for number in numbers), Fraction(0))
    if all(type(number) is int for number in numbers):
        if not INT64_MIN <= total <= INT64_MAX:
            raise Refused("§3.3", "a sum outside Int64")
        return int(total)
    try:
        rounded = total.numerator / total.denominator  # Python divides integers with one correct rounding
    except OverflowError:
        raise Refused("§2.1", "a sum that is no finite double") from None
    return rounded if rounded != 0 else 0.0


def resolve_crdt(versions: Sequence[Version]) -> Outcome:
    states = [crdt_state(version) for version in versions]
    join = join_crdt(states)
    crdt_type = join.declared or infer(join.snapshots)
    older = [version.agent.encode() for version, state in zip(versions, states) if version.state is None
             and not state.snapshots <= join.snapshots]
    return Outcome(
        "crdt", tuple(index for index, state in enumerate(states) if state == join),
        join, view(crdt_type, join.snapshots), b"coordinator",
        max(snapshot.timestamp for snapshot in join.snapshots), next_version(versions),
        declared=join.declared, view_type=crdt_type,
        contributors=frozenset(snapshot.agent for snapshot in join.snapshots),
        discarded=frozenset(older),
        # A snapshot that denies its own declared type and is in no state, being outdated, may be refused or not.
        may_refuse=denies_its_type(versions))
