"""A second resolver, written as a product would be: it folds pairs, keeps dictionaries and writes `crdt_state` in a
form of its own. It speaks `resolve --strategy S --lines`, agrees with the model, and takes named mutations: `check.py
--self-test` shows that the driver finds each of them.

    python3 standin.py resolve --strategy crdt --lines [--mutation NAME]
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from fractions import Fraction
from typing import Any, Dict, List, Optional, Tuple

from values import INT64_MAX, INT64_MIN, MAX_VALUE_BYTES, Refused, canonical, is_number, value_of, write_timestamp
from versions import Version, read_document

MUTATIONS = {
    "tie-by-arrival": "§3.4: of two equal timestamps the first to arrive wins",
    "clock-join-forgotten": "§3.6: the result carries only the winner's clock",
    "counter-adds-twice": "§3.7: a fed back result counts as one more agent",
    "one-is-one-point-zero": "§2.1: elements are compared as Python compares them, 1 == 1.0 == true",
    "sibling-lost": "§3.6: crdt_state keeps only the winner",
    "nfc-folded": "§1.2: elements are compared after Unicode normalisation",
    "naive-double-sum": "§3.7: doubles are added one after the other, in order of arrival",
    "own-metadata-lost": "§3.2: a returned input loses its own metadata",
    "inferred-becomes-declared": "§3.7: what was inferred counts as declared from then on",
    "version-not-raised": "§3.2: the version of a join is max, not max + 1",
    "implicit-clock-off-by-one": "§3.6: a version without clock has the clock {agent: version}",
    "dominated-kept": "§3.6: a dominated element stays",
    "removed-element-returns": "§3.7: a set keeps what an agent's older snapshot had",
    "map-by-version": "§3.7: a map field goes to the greatest version, not the greatest timestamp",
    "join-preferred-to-input": "§3.1: a fed back join is returned though a plain input has the same state",
    "booleans-are-numbers": "§3.7: booleans are inferred to be counters",
    "coordinator-counts": "§3.3: coordinator without crdt_state is taken as an agent",
    "value-not-checked": "§3.3: a value that is not the view of its crdt_state is believed",
    "author-not-checked": "§3.1: agent, time or clock that its crdt_state does not show are believed",
    "field-misnamed": "§2.2: the error names another field",
    "skew-hidden": "§3.4: skew_ms is not reported",
    "discarded-hidden": "§3.2: discarded is not reported",
    "arrival-order-in-sets": "§3.7: a set is in order of arrival, not canonical order",
    "zero-in-clock-counts": "§1.4: an entry of 0 is an entry",
    "logical-ignored": "§1.5: the counter of a timestamp is ignored",
}


class StandIn:
    def __init__(self, strategy: str, mutation: Optional[str] = None):
        self.strategy, self.mutation = strategy, mutation

    def answer(self, line: str) -> str:
        try:
            raw = json.loads(line)
            versions = read_document(line)
            if self.mutation == "logical-ignored":
                versions = [_with(v, timestamp=(v.timestamp[0], 0), order=((v.timestamp[0], 0),) + v.order[1:])
                            for v in versions]
            raws = raw["versions"] if isinstance(raw, dict) else raw
            self.check(versions, raws)
            fields = getattr(self, self.strategy)(versions, raws)
            return canonical(fields).decode()
        except Refused as refused:
            field = "metadata" if self.mutation == "field-misnamed" and refused.field else refused.field
            return json.dumps({"error": {"field": field, "message": str(refused)}})
        except (ValueError, RecursionError, OverflowError) as error:
            return json.dumps({"error": {"message": str(error)}})

    def check(self, versions: List[Version], raws: List[Any]) -> None:
        if not versions:
            raise Refused("§3.3", "no versions")
        types = set()
        for version, raw in zip(versions, raws):
            if "crdt_state" in raw and isinstance(raw["crdt_state"], dict) and "set" in raw["crdt_state"]:
                self.vector_state(version, raw)
            elif "crdt_state" in raw:
                self.crdt_state(version, raw)
            if version.key != versions[0].key:
                raise Refused("§3.3", "another key", "state_key")
            if version.crdt_type and version.crdt_state is None:
                self.contribution(version.crdt_type, version.value)
            if version.crdt_state is None:
                types.add(version.crdt_type)
            plain = version.crdt_state is None and self.mutation != "coordinator-counts"
            if plain and self.strategy == "crdt" and "merged_from_agents" in version.metadata:
                raise Refused("§3.3", "a merge without its state", "metadata")
            if plain and self.strategy == "crdt" and version.agent == "coordinator":
                raise Refused("§3.3", "a coordinator without its state", "agent_id")
        if len(types - {None}) > 1:
            raise Refused("§3.3", "two types", "crdt_type")

    def contribution(self, crdt_type: str, value: bytes) -> Any:
        item = value_of(value)
        number = is_number(item) or (self.mutation == "booleans-are-numbers" and isinstance(item, bool))
        kinds = {"counter": number, "set": isinstance(item, list), "map": isinstance(item, dict), "register": True}
        if not kinds[crdt_type]:
            raise Refused("§3.3", "the type cannot hold this", "value")
        return item

    def returned(self, version: Version, raw: Any, **report: Any) -> Dict[str, Any]:
        fields: Dict[str, Any] = {
            "state_key": version.key, "value": value_of(version.value), "version": version.version,
            "timestamp": write_timestamp(version.timestamp), "agent_id": version.agent}
        if version.timestamp[1]:
            fields["logical"] = version.timestamp[1]
        if version.clock is not None:
            fields["vector_clock"] = dict(version.clock)
        for name in ("crdt_type", "crdt_state", "siblings"):
            if name in raw or name in raw.get("metadata", {}):
                fields[name] = raw.get(name, raw.get("metadata", {}).get(name))
        fields["metadata"] = {} if self.mutation == "own-metadata-lost" else dict(version.metadata)
        fields["metadata"].update(self.report(report))
        return fields

    def report(self, report: Dict[str, Any]) -> Dict[str, Any]:
        hidden = {"skew-hidden": "skew_ms", "discarded-hidden": "discarded"}.get(self.mutation or "")
        return {name: item for name, item in report.items() if item is not None and name != hidden}

    # --- lww

    def lww(self, versions: List[Version], raws: List[Any]) -> Dict[str, Any]:
        best = 0
        for index, version in enumerate(versions):
            if self.mutation == "tie-by-arrival":
                best = index if version.timestamp > versions[best].timestamp else best
            elif version.order > versions[best].order:
                best = index
        winner = versions[best]
        others = [version for version in versions if version.order != winner.order]
        ahead = winner.timestamp[0] - max((v.timestamp[0] for v in others), default=winner.timestamp[0])
        discarded = [{"agent_id": version.agent, "rule": "lww"} for version in others]
        return self.returned(winner, raws[best], resolution_strategy="lww", discarded=discarded,
                             skew_ms=ahead if ahead > 60_000 else None)

    # --- vector

    def vector(self, versions: List[Version], raws: List[Any]) -> Dict[str, Any]:
        states = [self.vector_state(version, raw) for version, raw in zip(versions, raws)]
        state: Dict[Tuple[Any, bytes], Any] = {}
        clock: Dict[str, int] = {}
        for other in states:
            for name, stamp in other.items():
                state[name] = max(stamp, state.get(name, stamp))
                for replica, n in name[0]:
                    clock[replica] = max(n, clock.get(replica, 0))
        state = state if self.mutation == "dominated-kept" else _maximal(state)
        ranked = sorted(state, key=lambda name: (state[name], name[1], name[0]))
        winner = ranked[-1]
        for index in self.preference(versions):
            if states[index] == state:
                return self.vector_answer(self.returned(versions[index], raws[index]), versions, states, state)
        if self.mutation == "clock-join-forgotten":
            clock = dict(winner[0])
        kept = [winner] if self.mutation == "sibling-lost" else ranked
        items = [_vector_item(name, state[name]) for name in kept]
        timestamp, agent, _ = state[winner]
        fields = self.merged(versions, value_of(winner[1]), agent.decode(), timestamp)
        fields.update(vector_clock=clock, crdt_state={"set": items})
        if ranked[:-1]:
            fields["siblings"] = [_vector_item(name, state[name]) for name in ranked[:-1]]
        fields["metadata"] = {"merged_from_agents": sorted({stamp[1].decode() for stamp in state.values()})}
        return self.vector_answer(fields, versions, states, state)

    def vector_answer(self, fields: Dict[str, Any], versions: List[Version], states: Any, state: Any) -> Dict[str, Any]:
        discarded = [{"agent_id": version.agent, "rule": "dominated"} for version, own in zip(versions, states)
                     if not own.keys() <= state.keys()]
        fields["metadata"].update(self.report({
            "resolution_strategy": "vector_concurrent_lww" if len(state) > 1 else "vector_causal",
            "discarded": discarded}))
        return fields

    def vector_state(self, version: Version, raw: Any) -> Dict[Tuple[Any, bytes], Any]:
        if "crdt_state" not in raw:
            implicit = version.version + (self.mutation != "implicit-clock-off-by-one")
            clock = version.clock or ((version.agent, implicit),)
            if self.mutation == "zero-in-clock-counts" and raw.get("vector_clock"):
                clock = tuple(sorted(raw["vector_clock"].items()))
            return {(clock, version.value): (version.timestamp, version.agent.encode(), version.version)}
        state: Dict[Tuple[Any, bytes], Any] = {}
        for item in _shaped(raw["crdt_state"], {"set": list})["set"]:
            _shaped(item, {"clock": dict, "value": None, "at": list, "agent": str, "version": int})
            state[(_clock(item["clock"]), canonical(item["value"]))] = _stamp(item)
        if not state or _maximal(state) != state:
            raise Refused("§3.6", "no state", "crdt_state")
        ranked = sorted(state, key=lambda name: (state[name], name[1], name[0]))
        self.check_view(ranked[-1][1], version)
        stamp = state[ranked[-1]]
        shown = {"agent_id": stamp[1].decode(), "siblings": [_vector_item(name, state[name]) for name in ranked[:-1]],
                 "timestamp": stamp[0], "vector_clock": _join(state)}
        given = {"agent_id": version.agent, "siblings": raw.get("siblings", shown["siblings"]),
                 "timestamp": version.timestamp, "vector_clock": dict(version.clock or ())}
        self.check_shown(shown, given, version, None)
        return state

    # --- crdt

    def crdt(self, versions: List[Version], raws: List[Any]) -> Dict[str, Any]:
        states = [self.crdt_state(version, raw) for version, raw in zip(versions, raws)]
        shares: Dict[bytes, Tuple[int, Any, bytes]] = {}
        declared = None
        for other, other_type in states:
            if declared and other_type and declared != other_type:
                raise Refused("§3.3", "two types", "crdt_type")
            declared = declared or other_type
            for agent, snapshot in other.items():
                if self.mutation == "removed-element-returns" and agent in shares:
                    snapshot = _union(snapshot, shares[agent])
                shares[agent] = max(snapshot, shares.get(agent, snapshot))
        crdt_type = declared or self.inferred(shares)
        value = self.view(crdt_type, shares)
        for index in self.preference(versions):
            if states[index] == (shares, declared):
                fields = self.returned(versions[index], raws[index])
                break
        else:
            fields = self.merged(versions, value, "coordinator", max(s[1] for s in shares.values()))
            fields["crdt_type"] = crdt_type
            fields["crdt_state"] = {
                "declared": crdt_type if self.mutation == "inferred-becomes-declared" else declared,
                "agents": {agent.decode(): {"version": s[0], "at": list(s[1]), "value": value_of(s[2])}
                           for agent, s in shares.items()}}
            fields["metadata"] = {
                "merged_from_agents": sorted(agent.decode() for agent in shares), "inferred": declared is None}
        discarded = [{"agent_id": agent.decode(), "rule": "older"} for other, _ in states
                     for agent, snapshot in other.items() if shares[agent] != snapshot]
        fields["metadata"].update(self.report({"resolution_strategy": "crdt", "discarded": discarded}))
        return fields

    def crdt_state(self, version: Version, raw: Any) -> Tuple[Dict[bytes, Tuple[int, Any, bytes]], Optional[str]]:
        if "crdt_state" not in raw or self.mutation == "counter-adds-twice":
            return {version.agent.encode(): (version.version, version.timestamp, version.value)}, version.crdt_type
        state = _shaped(raw["crdt_state"], {"agents": dict, "declared": None})
        declared = state["declared"]
        shares = {}
        for agent, item in state["agents"].items():
            _shaped(item, {"version": int, "at": list, "value": None})
            timestamp, name, number = _stamp(dict(item, agent=agent))
            shares[name] = (number, timestamp, canonical(item["value"]))
        if not shares or declared not in (None, "counter", "set", "map", "register") or b"coordinator" in shares:
            raise Refused("§3.7", "no state", "crdt_state")
        crdt_type = declared or self.inferred(shares)
        self.check_view(canonical(self.view(crdt_type, shares)), version)
        shown = {"agent_id": "coordinator", "timestamp": max(share[1] for share in shares.values())}
        self.check_shown(shown, {"agent_id": version.agent, "timestamp": version.timestamp}, version, crdt_type)
        return shares, declared

    def inferred(self, shares: Dict[bytes, Any]) -> str:
        for crdt_type in ("counter", "set", "map"):
            try:
                for _, _, value in shares.values():
                    self.contribution(crdt_type, value)
                return crdt_type
            except Refused:
                continue
        return "register"

    def view(self, crdt_type: str, shares: Dict[bytes, Any]) -> Any:
        items = [self.contribution(crdt_type, snapshot[2]) for snapshot in shares.values()]
        if crdt_type == "counter":
            return self.sum(items)
        if crdt_type == "set":
            return self.union(items)
        if crdt_type == "map":
            key = 0 if self.mutation == "map-by-version" else 1
            ranked = sorted(shares, key=lambda agent: (shares[agent][key], agent))
            return {name: item for agent in ranked for name, item in value_of(shares[agent][2]).items()}
        return value_of(max((s[1], agent, s[0], s[2]) for agent, s in shares.items())[3])

    def sum(self, items: List[Any]) -> Any:
        if any(isinstance(item, float) for item in items):
            if self.mutation == "naive-double-sum":
                return float(sum(items)) or 0.0
            total = sum(Fraction(item) for item in items)
            try:
                return total.numerator / total.denominator or 0.0
            except OverflowError:
                raise Refused("§2.1", "the sum is not finite", "value") from None
        if not INT64_MIN <= sum(items) <= INT64_MAX:
            raise Refused("§3.3", "the sum leaves Int64", "value")
        return sum(items)

    def union(self, items: List[Any]) -> List[Any]:
        identity = {
            "one-is-one-point-zero": lambda e: e if not isinstance(e, (list, dict)) else canonical(e),
            "nfc-folded": lambda e: unicodedata.normalize("NFC", canonical(e).decode()),
        }.get(self.mutation or "", canonical)
        elements: Dict[Any, Any] = {}
        for item in items:
            for element in item:
                elements.setdefault(identity(element), element)
        arrival = self.mutation == "arrival-order-in-sets"
        return list(elements.values()) if arrival else sorted(elements.values(), key=canonical)

    # --- both joins

    def preference(self, versions: List[Version]) -> List[int]:
        """Plain inputs before fed back joins, then the order of §3.4: the choice must survive any sequence of steps."""
        merged_first = self.mutation == "join-preferred-to-input"
        rank = [((v.crdt_state is None) != merged_first, v.order) for v in versions]
        return sorted(range(len(versions)), key=lambda index: rank[index], reverse=True)

    def merged(self, versions: List[Version], value: Any, agent: str, timestamp: Any) -> Dict[str, Any]:
        version = max(version.version for version in versions) + (self.mutation != "version-not-raised")
        if version == INT64_MAX or len(canonical(value)) > MAX_VALUE_BYTES:
            raise Refused("§2.2", "the join is no valid version", "version")
        fields = {"state_key": versions[0].key, "value": value, "version": version, "agent_id": agent,
                  "timestamp": write_timestamp(timestamp)}
        return dict(fields, logical=timestamp[1]) if timestamp[1] else fields

    def check_view(self, shown: bytes, version: Version) -> None:
        if shown != version.value and self.mutation != "value-not-checked":
            raise Refused("§3.3", "value is not the view of crdt_state", "value")


    def check_shown(self, shown: Any, given: Any, version: Version, crdt_type: Optional[str]) -> None:
        if version.crdt_type != crdt_type or (crdt_type and (version.clock is not None or version.siblings)):
            raise Refused("§3.1", "not what crdt_state shows", "crdt_state")
        for name in shown:
            if canonical(shown[name]) != canonical(given[name]) and self.mutation != "author-not-checked":
                raise Refused("§3.1", "not what crdt_state shows", name)


def _shaped(item: Any, kinds: Dict[str, Any]) -> Any:
    if not isinstance(item, dict) or set(item) != set(kinds):
        raise Refused("§2.2", "not the shape of a crdt_state", "crdt_state")
    if any(kind and type(item[name]) is not kind for name, kind in kinds.items()):
        raise Refused("§2.2", "not the shape of a crdt_state", "crdt_state")
    return item


def _clock(raw: Dict[str, Any]) -> Any:
    if any(type(n) is not int or n < 1 for n in raw.values()):
        raise Refused("§1.4", "no clock", "crdt_state")
    return tuple(sorted(raw.items()))


def _stamp(item: Dict[str, Any]) -> Any:
    at = item["at"]
    if len(at) != 2 or any(type(part) is not int for part in at) or not 0 <= at[1] <= 0xFFFF or at[0] < 0:
        raise Refused("§1.5", "no timestamp", "crdt_state")
    if not item["agent"] or not 0 <= item["version"] < INT64_MAX:
        raise Refused("§2.2", "no stamp", "crdt_state")
    return tuple(at), item["agent"].encode(), item["version"]


def _maximal(state: Any) -> Any:
    return {name: stamp for name, stamp in state.items() if not any(_below(name[0], other) for other, _ in state)}


def _join(state: Any) -> Dict[str, int]:
    clock: Dict[str, int] = {}
    for name in state:
        for replica, n in name[0]:
            clock[replica] = max(n, clock.get(replica, 0))
    return clock


def _with(version: Version, **changes: Any) -> Version:
    return Version(**{**version.__dict__, **changes})


def _below(left: Any, right: Any) -> bool:
    bound = dict(right)
    return left != right and all(bound.get(replica, 0) >= n for replica, n in left)


def _vector_item(name: Tuple[Any, bytes], stamp: Any) -> Dict[str, Any]:
    return {"clock": dict(name[0]), "value": value_of(name[1]), "at": list(stamp[0]), "agent": stamp[1].decode(),
            "version": stamp[2]}


def _union(newer: Any, older: Any) -> Any:
    values = [value_of(newer[2]), value_of(older[2])]
    if not all(isinstance(value, list) for value in values):
        return newer
    return newer[:2] + (canonical(values[0] + [e for e in values[1] if canonical(e) not in map(canonical, values[0])]),)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("command", choices=["resolve"])
    arguments.add_argument("--strategy", required=True)
    arguments.add_argument("--lines", action="store_true", required=True)
    arguments.add_argument("--mutation", choices=sorted(MUTATIONS))
    options = arguments.parse_args()
    standin = StandIn(options.strategy, options.mutation)
    for line in sys.stdin:
        print(standin.answer(line.rstrip("\n")), flush=True)


if __name__ == "__main__":
    main()
