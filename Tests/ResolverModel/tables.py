"""What must be refused, and what must not be: one planted fault each, with its rule and the field that it names."""

from __future__ import annotations

import json
from typing import Any, Iterator, NamedTuple, Optional, Sequence

from cases import NFC, NFD, T1, version
from rules import STRATEGIES

ALL = STRATEGIES
CRDT = ("crdt",)
PLAIN = ("lww", "vector")


class Row(NamedTuple):
    """`refused` tells which way it must go; None: either way, but an answer has to be a valid input itself. `field` is
    a name that the error has to mention."""

    name: str
    rule: str
    strategies: Sequence[str]
    document: str
    refused: Optional[bool]
    field: Optional[str] = None


def rows() -> Iterator[Row]:
    yield from refused_documents()
    yield from refused_versions()
    yield from refused_text()
    yield from accepted()
    yield from left_open()


def document(*versions: Any, key: Optional[str] = "k") -> str:
    return json.dumps({"state_key": key, "versions": list(versions)} if key is not None else list(versions))


def one(value: Any = 1, **optional: Any) -> Any:
    return version("a", 1, T1, value, **optional)


def other(value: Any = 2, **optional: Any) -> Any:
    return version("b", 1, T1, value, **optional)


def refused_documents() -> Iterator[Row]:
    """§3.3, all of it but what needs an answered `crdt_state` (see tampering.py)."""
    yield Row("no versions", "§3.3", ALL, document(), True)
    yield Row("no versions in a plain array", "§3.3", ALL, "[]", True)
    yield Row("a version of another key", "§3.3", ALL, document(one(), dict(other(), state_key="j")), True)
    yield Row("a version of another key in a plain array", "§3.3", ALL,
              document(one(), dict(other(), state_key="j"), key=None), True)
    yield Row("a version of another key than the document's", "§3.3", ALL, document(one(), key="j"), True)
    yield Row("a key that differs only by normalisation", "§1.2", ALL,
              document(dict(one(), state_key=NFC), dict(other(), state_key=NFD), key=None), True)
    yield Row("two declared types", "§3.3", ALL, document(one([], crdt_type="set"), other(crdt_type="counter")), True)
    yield Row("two declared types, one in metadata", "§3.3", ALL,
              document(one(crdt_type="register"), other(metadata={"crdt_type": "counter"})), True)
    unfit = {"counter": ["x", True, None, [], {}], "set": [1, "x", {}, None], "map": [1, [], "x", None]}
    for crdt_type, values in unfit.items():
        for value in values:
            yield Row(f"{crdt_type} {value!r}", "§3.3", CRDT, document(one(value, crdt_type=crdt_type)), True)
            yield Row(f"{crdt_type} {value!r}", "§3.3", PLAIN, document(one(value, crdt_type=crdt_type)), None)
            yield Row(f"undeclared {value!r} joins a {crdt_type}", "§3.3", CRDT,
                      document(one({"counter": 1, "set": [], "map": {}}[crdt_type], crdt_type=crdt_type),
                               other(value)), True)
    yield Row("coordinator without crdt_state", "§3.3", CRDT, document(dict(one(), agent_id="coordinator")), True)
    yield Row("coordinator without crdt_state among others", "§3.3", CRDT,
              document(other(), dict(one(), agent_id="coordinator")), True)
    yield Row("merged_from_agents without crdt_state", "§3.3", CRDT,
              document(one(metadata={"merged_from_agents": ["x"]}), other()), True)
    for name, values in {"above": [2**63 - 1, 1], "below": [-(2**63), -1], "far above": [2**63 - 1] * 2}.items():
        yield Row(f"a sum {name} Int64", "§3.3", CRDT, document(one(values[0]), other(values[1])), True)
    yield Row("a sum that is no finite double", "§2.1", CRDT, document(one(1.7e308), other(1.7e308)), True)


def refused_versions() -> Iterator[Row]:
    """§2.2 and the rules of §1 that it rests on."""
    def wrong(rule: str, name: str, item: Any, field: Optional[str] = None) -> Row:
        key = item if name == "state_key" and isinstance(item, str) else "k"
        shown = repr(item) if len(repr(item)) < 40 else f"of {len(repr(item))} characters"
        return Row(f"{name} {shown}", rule, ALL, document(dict(one(), **{name: item}), key=key), True, field)

    yield wrong("§2.2", "state_key", "", "state_key")
    for key in (".", "..", "a\u0001", "a\n", "\u0000", "x" * 513, 5, None):
        yield wrong("§1.1", "state_key", key)
    yield wrong("§2.2", "agent_id", "", "agent_id")
    for agent in ("x" * 513, NFC * 257, 5, None, ["a"]):
        yield wrong("§1.1", "agent_id", agent)
    for number in (-1, -(2**63), 2**63 - 1):
        yield wrong("§2.2", "version", number, "version")
    for number in (2**63, 2**64, 1.0, 1.5, True, "1", None):
        yield wrong("§2.2", "version", number)
    for time in ("", "yesterday", "2025-11-29", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-29T24:00:01Z",
                 "2025-11-29T10:60:00Z", "2025-11-29T10:00:00+25:00", "2025-11-29T10:00:00.Z", "2025-11-29T10:00:00ZZ",
                 "2025-11-29T10:00Z", " 2025-11-29T10:00:00Z", "2025-11-29T10:00:00\u0660Z", 1764410400, None):
        yield wrong("§1.5", "timestamp", time)
    for logical in (-1, 1.0, "1", 2**63):
        yield wrong("§1.5", "logical", logical)
    yield Row("microseconds together with logical", "§1.5", ALL,
              document(dict(one(logical=7), timestamp="2025-11-29T10:00:00.000123Z")), True)
    for clock in ({"a": -1}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"a": 2**63}, [], 1, "a"):
        yield wrong("§1.4", "vector_clock", clock)
    for crdt_type in ("banana", "", 1, ["set"]):
        yield wrong("§2.2", "crdt_type", crdt_type)
    for metadata in (1, [], "x"):
        yield wrong("§2.2", "metadata", metadata)
    yield wrong("§2.2", "colour", "red")
    for name in ("state_key", "value", "version", "timestamp", "agent_id"):
        fields = {other_name: item for other_name, item in one().items() if other_name != name}
        yield Row(f"{name} is missing", "§2.2", ALL, document(fields, key=None), True, name)
    yield Row("a clock in both places, different", "§2.2", ALL,
              document(one(vector_clock={"a": 1}, metadata={"vector_clock": {"a": 2}})), True)
    yield Row("a version that is no object", "§2.2", ALL, document(1), True)
    yield wrong("§2.1", "value", "x" * (512 * 1024 - 1))


def refused_text() -> Iterator[Row]:
    """§2.1: text that is no JSON, or JSON that is no value."""
    template = document(one("@"))
    deep = "[" * 5000 + "]" * 5000
    for name, literal in {
            "a repeated field": '{"x":1,"x":1}', "a repeated field, escaped": '{"x":1,"\\u0078":2}',
            "an integer above Int64": "9223372036854775808", "an integer below Int64": "-9223372036854775809",
            "an infinite double": "1e400", "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity",
            "a leading zero": "01", "a plus sign": "+1", "no digit after the point": "1.", "no digit before": ".5",
            "a hexadecimal": "0x1", "a single quote": "'x'", "a trailing comma": "[1,]", "an open array": "[1",
            "a lone surrogate": '"\\ud800"', "a reversed pair": '"\\udc00\\ud800"', "a raw control": '"\u0001"',
            "a bad escape": '"\\x41"', "a comment": "1/**/", "True": "True", "nothing": "",
            "depth 66": "[" * 66 + "]" * 66, "depth 5000": deep,
            "depth 5000 of objects": '{"x":' * 5000 + "1" + "}" * 5000, "invalid UTF-8": '"\udcff"',
            "an overlong slash": '"\udcc0\udcaf"', "an encoded surrogate": '"\udced\udca0\udc80"',
    }.items():
        yield Row(name, "§2.1", ALL, template.replace('"@"', literal), True)
    for name, whole in {"an empty line": "", "not JSON": "resolve", "a number": "1", "null": "null", "an object": "{}",
                        "two documents": template + template, "an open document": template[:-1], "deep": deep,
                        "versions that are no array": '{"state_key":"k","versions":{}}',
                        "a repeated field of the document": '{"versions":[],' + template[1:],
                        "an unknown field of the document": '{"verions":[],' + template[1:],
                        "a repeated field of a version": template.replace('"value"', '"version": 1, "value"')}.items():
        yield Row(f"the document: {name}", "§2.1", ALL, whole, True)


def accepted() -> Iterator[Row]:
    """What looks like a fault and is none."""
    for agent in ("*", "journal", "operator", ".", "..", "x" * 512, NFC * 256, " ", "a b", "\n"):
        yield Row(f"agent_id {agent[:10]!r}", "§1.1", ALL, document(dict(one(), agent_id=agent), other()), False)
    yield Row("coordinator where nothing counts twice", "§3.3", PLAIN,
              document(dict(one(), agent_id="coordinator")), False)
    yield Row("merged_from_agents where nothing counts twice", "§3.3", PLAIN,
              document(one(metadata={"merged_from_agents": ["x"]}), other()), False)
    for key in ("x" * 512, NFC * 256, "a/b", "*", " "):
        yield Row(f"state_key {key[:10]!r}", "§1.1", ALL, document(dict(one(), state_key=key), key=key), False)
    for time in ("2025-11-29T10:00:00", "2025-11-29t10:00:00z", "2024-02-29T23:59:59.9Z", "2025-11-29T10:00:00-23:59",
                 "2025-11-29T10:00:00.123456789012Z"):
        yield Row(f"timestamp {time}", "§1.5", ALL, document(dict(one(), timestamp=time)), False)
    yield Row("the greatest version", "§2.2", ALL, document(dict(one(), version=2**63 - 2)), False)
    yield Row("depth 63", "§2.1", ALL, document(one("@")).replace('"@"', "[" * 63 + "]" * 63), False)
    yield Row("a value just under the limit", "§2.1", ALL, document(one("x" * (512 * 1024 - 2))), False)
    yield Row("a sum that only leaves Int64 on the way", "§3.7", CRDT,
              document(one(2**63 - 1), other(2**63 - 1), version("c", 1, T1, -(2**63))), False)
    yield Row("a clock of zeros", "§1.4", ALL, document(one(vector_clock={"a": 0}), other(vector_clock={})), False)
    yield Row("a clock in both places, one with a zero", "§1.4", ALL,
              document(one(vector_clock={"a": 1}, metadata={"vector_clock": {"a": 1, "b": 0}})), False)
    yield Row("a clock and a type in metadata", "§2.2", ALL,
              document(one(metadata={"vector_clock": {"a": 1}, "crdt_type": "counter", "own": 1})), False)
    yield Row("an outdated undeclared word beside a counter", "§3.7", CRDT,
              document(version("a", 1, T1, "word"), version("a", 2, T1, 5, crdt_type="counter")), False)
    yield Row("white space around the document", "§2.1", ALL, " \t" + document(one()) + " ", False)
    yield Row("a surrogate pair", "§2.1", ALL, document(one("@")).replace("@", "\\ud83e\\uddea"), False)


def left_open() -> Iterator[Row]:
    """Where two rules pull in different directions: a clear error or an answer that can be fed back, but no crash."""
    greatest = 2**63 - 2
    yield Row("a join of greatest versions: max + 1 is no version", "§3.2", ("vector", "crdt"),
              document(dict(one(), version=greatest), dict(other(), version=greatest)), None)
    yield Row("a join over the size limit", "§2.1", CRDT, document(one(["x" * 300_000]), other(["y" * 300_000])), None)
    yield Row("logical beyond 16 bits", "§1.5", ALL, document(one(logical=65536)), None)
    yield Row("a time before 1970", "§1.5", ALL, document(dict(one(), timestamp="1969-12-31T23:59:59.999Z")), None)
    yield Row("the first and the last year", "§1.5", ALL,
              document(dict(one(), timestamp="0001-01-01T00:00:00+14:00"),
                       dict(other(), timestamp="9999-12-31T23:59:59.999999-14:00")), None)
    yield Row("a leap second", "§1.5", ALL, document(dict(one(), timestamp="2016-12-31T23:59:60Z")), None)
    yield Row("a key with a control character beyond ASCII", "§1.1", ALL,
              document(dict(one(), state_key="\u0085"), key="\u0085"), None)
    for name in ("vector_clock", "crdt_type", "crdt_state", "siblings", "metadata", "logical"):
        yield Row(f"{name} null", "§2.2", ALL, document(dict(one(), **{name: None})), None)
    yield Row("siblings without crdt_state", "§2.2", ALL, document(one(siblings=[1])), None)
    yield Row("an unknown crdt_state", "§2.2", ALL, document(one(crdt_state={"x": 1})), None)
    yield Row("a replica without a name", "§1.4", ALL, document(one(vector_clock={"": 1})), None)
