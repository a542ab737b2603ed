"""The cases: every multiset of up to three versions over small, nasty universes, and random ones from a seed."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from rules import STRATEGIES
from values import canonical

Fields = Dict[str, Any]

T1, T2 = "2025-11-29T10:00:00Z", "2025-11-29T10:00:00.001Z"
NFC, NFD = "\u00e9", "e\u0301"


class Case(NamedTuple):
    """Versions to resolve. `seed` decides the orders, repeats and steps they are also resolved in."""

    strategy: str
    versions: Tuple[Fields, ...]
    seed: int


def version(agent: str, number: int, timestamp: str, value: Any, **optional: Any) -> Fields:
    fields = {"state_key": "k", "value": value, "version": number, "timestamp": timestamp, "agent_id": agent}
    fields.update({name: item for name, item in optional.items() if item is not None})
    return fields


def text(fields: Fields) -> str:
    """Alternates between escaped and plain text, which are the same value."""
    return json.dumps(fields, ensure_ascii=len(canonical(fields)) % 2 == 0)


# --- all small cases ------------------------------------------------------------------------------------------------


def order_universe() -> List[Fields]:
    """§3.4: every way to tie in timestamp, agent and version, with the counter of a timestamp among them."""
    times: List[Tuple[str, Optional[int]]] = [(T1, None), (T1, 1), (T2, None)]
    return [version(agent, number, time, value, logical=logical)
            for agent in "ab" for number in (1, 2) for time, logical in times for value in (1, 1.0)]


def kinds_universe() -> List[Fields]:
    """§2.1, §3.7: values of each kind, undeclared, from two agents."""
    values = [None, True, 1, 1.0, 0.1, -7, NFC, NFD, [], ["b", "a", "b"], [1, 1.0, True, [1], NFC],
              [NFD, [1.0], {"x": 1}, {"x": 1.0}], {}, {"y": 1, NFC: 2}, {"y": 1.0, NFD: 2}]
    return [version(agent, 1, T1, value) for agent in "ab" for value in values]


def clocks_universe() -> List[Fields]:
    """§1.4, §3.6: clocks absent, empty, zero, equal, dominating, concurrent; equal clocks with different values."""
    clocks: List[Optional[Dict[str, int]]] = [
        None, {}, {"a": 0, "b": 0}, {"a": 1}, {"a": 2, "b": 0}, {"a": 1, "b": 1}, {"b": 2}]
    plain = [version(agent, number, T1, value, vector_clock=clock)
             for agent in "ab" for number in (0, 1) for clock in clocks for value in (1, True)]
    typed = [version("a", 1, T2, 1, vector_clock={"a": 1}, crdt_type="register"),
             version("a", 1, T1, 1, vector_clock={"a": 1}, crdt_type="register"),
             version("b", 1, T1, 1, metadata={"vector_clock": {"b": 2}, "crdt_type": "register", "note": "own"})]
    return plain + typed


def types_universe() -> List[Fields]:
    """§3.3, §3.7: declared beside undeclared types, holding and not holding, and one agent's newer snapshot."""
    values = [5, ["y", "x"], {"f": 1}]
    plain = [version(agent, number, T1, value, crdt_type=crdt_type)
             for agent in "ab" for number in (1, 2) for value in values
             for crdt_type in (None, "counter", "set", "map")]
    return plain + [version("c", 1, T2, "word", crdt_type=crdt_type) for crdt_type in (None, "register")]


def fields_universe() -> List[Fields]:
    """§3.7: fields and elements that come, differ and go, where version order and time order disagree."""
    values = [{"f": 1, "g": 1}, {"f": 1.0}, {"g": [2]}, {}]
    return [version(agent, number, time, value)
            for agent in "ab" for number in (1, 2) for time in (T1, T2) for value in values]


UNIVERSES = {
    "order": (STRATEGIES, order_universe), "kinds": (STRATEGIES, kinds_universe),
    "clocks": (STRATEGIES, clocks_universe), "types": (("vector", "crdt"), types_universe),
    "fields": (("crdt",), fields_universe)}


def known_traps() -> List[Case]:
    """Cases that a plausible resolver gets wrong. Every run begins with them."""
    clock = {"a": 1}
    traps = {
        # §3.1: at once a plain input has the state of the join; in steps a fed back join has it too.
        "crdt": [[version("a", 1, T1, 5, crdt_type="counter"), version("a", 2, T1, 7),
                  version("a", 2, T1, 7, crdt_type="counter")],
                 [version("a", 1, T1, ["z"], crdt_type="set"), version("a", 2, T1, ["y", "x", "y"]),
                  version("a", 2, T1, ["y", "x", "y"], crdt_type="set")],
                 # §1.2: canonical equivalents are two elements, two fields, two agents.
                 [version("a", 1, T1, [NFC]), version("b", 1, T1, [NFD])],
                 [version("a", 1, T1, {NFC: 1}), version("b", 1, T1, {NFD: 2})],
                 [version(NFC, 1, T1, 1), version(NFD, 1, T1, 2)],
                 # §2.1: four elements, whatever equality the language has.
                 [version("a", 1, T1, [1, True]), version("b", 1, T1, [1.0, "1"])],
                 # §3.7: the older version has the newer time and wins the field.
                 [version("a", 2, T1, {"f": 1, "g": 1}), version("b", 1, T2, {"f": 2})],
                 # §3.7: what was inferred is not declared; a sum is rounded once; clocks of dominated snapshots.
                 [version("a", 1, T1, 1), version("b", 1, T1, 2), version("c", 1, T1, "x", crdt_type="register")],
                 [version("a", 1, T1, 0.1), version("b", 1, T1, 0.2), version("c", 1, T1, 0.3)],
                 [version("a", 1, T1, 1, vector_clock={"b": 5}), version("a", 2, T1, 1, vector_clock=clock),
                  version("b", 1, T1, 1)]],
        # §3.6: an entry with and without a declared type, with its implicit clock written out or not.
        "vector": [[version("a", 0, T1, 1), version("a", 0, T1, 1, vector_clock=clock, crdt_type="register"),
                    version("b", 0, T1, 1)],
                   [version("a", 1, T1, 1, vector_clock=clock), version("b", 1, T2, 1, vector_clock=clock),
                    version("c", 1, T1, 1.0, vector_clock=clock)]],
        # §3.4: an absent clock and an empty one are two versions with one timestamp, so there is no skew.
        "lww": [[version("a", 1, "2025-11-29T10:01:00.001Z", 1), version("a", 1, T1, 1),
                 version("a", 1, "2025-11-29T10:01:00.001Z", 1, vector_clock={})]],
    }
    return [Case(strategy, tuple(versions), 0) for strategy, cases in traps.items() for versions in cases]


def small_cases() -> Iterator[Case]:
    """The known traps, then every multiset of one to three versions of each universe, under the strategies that it is
    about."""
    yield from known_traps()
    for name, (strategies, universe) in UNIVERSES.items():
        for strategy, size in itertools.product(strategies, (1, 2, 3)):
            for chosen in itertools.combinations_with_replacement(universe(), size):
                yield Case(strategy, chosen, 0)


# --- random cases ---------------------------------------------------------------------------------------------------

AGENTS = ["a", "b", "agent-1", "agent-10", NFC, NFD, "*", "z\n", "\U0001f9ea", "\uffee"]
TIMES = [T1, T2, "2025-11-29T11:00:00+01:00", "2025-11-29T10:00:00", "2025-11-29T10:00:00.000007Z",
         "2025-11-29T10:00:00.0000079Z", "2025-11-29T10:01:00Z", "2025-11-29T10:01:00.001Z", "2025-11-30T10:00:00.5Z"]
INTS = [0, 1, -1, 2, 10, 9, 2**53 + 1, 2**63 - 1, -(2**63), 2**62]
DOUBLES = [0.0, -0.0, 1.0, 0.1, 0.2, 0.3, -0.5, 2.5, 1e300, 5e-324, 9007199254740991.0, 1.7976931348623157e308]
STRINGS = ["", "x", "y", "task-1", "task-2", NFC, NFD, "a\"b", "a\\", "a!", "a", "\u0001", "\n", "\u007f",
           "\U0001f9ea", "\uffee", "1", "true"]
NAMES = ["f", "g", "timeout", NFC, NFD, "\n", "\"", "f!", "\U0001f9ea", "\uffee", ""]


def random_case(seed: int) -> Case:
    rng = random.Random(seed)
    strategy = rng.choice(STRATEGIES)
    agents = rng.sample(AGENTS, rng.randint(1, 4))
    times = rng.sample(TIMES, rng.randint(1, 3))
    kind = rng.choice(["int", "double", "number", "set", "map", "any", "scalar"])
    values = [random_value(rng, kind) for _ in range(rng.randint(1, 5))]
    declared = rng.choice([None, None, {"int": "counter", "double": "counter", "number": "counter", "set": "set",
                                        "map": "map"}.get(kind, "register")])
    clocks = rng.random() < (0.8 if strategy == "vector" else 0.15)
    versions: List[Fields] = []
    for _ in range(rng.randint(1, 8)):
        if versions and rng.random() < 0.1:
            versions.append(rng.choice(versions))
        else:
            versions.append(random_version(rng, agents, times, values, declared, clocks))
    return Case(strategy, tuple(versions), seed)


def random_version(rng: random.Random, agents: Sequence[str], times: Sequence[str], values: Sequence[Any],
                   declared: Optional[str], clocks: bool) -> Fields:
    time = rng.choice(times)
    fields = version(rng.choice(agents), rng.choice([0, 1, 1, 2, 3, 2**62]), time, rng.choice(values))
    if rng.random() < 0.15 and "000007" not in time:
        fields["logical"] = rng.choice([0, 1, 7, 65535])
    optional: Fields = {}
    if clocks and rng.random() < 0.8:
        optional["vector_clock"] = {agent: rng.choice([0, 1, 1, 2, 3, 2**63 - 1])
                                    for agent in agents if rng.random() < 0.7}
    if declared and rng.random() < 0.6:
        optional["crdt_type"] = declared
    if rng.random() < 0.02:
        optional["crdt_type"] = rng.choice(["counter", "set", "map", "register"])
    metadata: Fields = {"note": rng.choice([1, "own", {"deep": [None]}])} if rng.random() < 0.2 else {}
    for name, item in optional.items():
        (metadata if rng.random() < 0.3 else fields)[name] = item
    if metadata or rng.random() < 0.1:
        fields["metadata"] = metadata
    return dict(rng.sample(sorted(fields.items()), len(fields)))


def random_value(rng: random.Random, kind: str) -> Any:
    if kind == "number":
        kind = rng.choice(["int", "int", "double"])
    if kind == "int":
        return rng.choice(INTS) if rng.random() < 0.4 else rng.randint(-100, 1000)
    if kind == "double":
        return rng.choice(DOUBLES) if rng.random() < 0.6 else round(rng.uniform(-1e6, 1e6), rng.randint(1, 6))
    if kind == "set":
        return [random_value(rng, "any" if rng.random() < 0.2 else "scalar") for _ in range(rng.randint(0, 5))]
    if kind == "map":
        names = rng.sample(NAMES, rng.randint(0, 4))
        return {name: random_value(rng, "any" if rng.random() < 0.2 else "scalar") for name in names}
    if kind == "scalar":
        return rng.choice([None, True, False, rng.choice(STRINGS), rng.choice(STRINGS), random_value(rng, "number")])
    return random_value(rng, rng.choice(["int", "double", "set", "map", "scalar", "scalar"]))
