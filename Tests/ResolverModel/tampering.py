"""Answers that were changed before they are fed back: what §3.3 and §2.2 must notice, and what may not do harm."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from cases import T1, T2, version
from compare import Answer, laws, read_answer
from product import Product
from rules import STRATEGIES
from values import canonical, parse


class Fault(NamedTuple):
    name: str
    rule: str
    document: str
    answer: str


def conflicts() -> Iterator[Tuple[str, str, List[Dict[str, Any]]]]:
    """(name, strategy, versions whose join is no input)."""
    yield "a counter", "crdt", [version("a", 1, T1, 5), version("b", 1, T2, 7)]
    yield "a declared counter", "crdt", [version("a", 1, T1, 5, crdt_type="counter"), version("b", 1, T2, 7.5)]
    yield "a set", "crdt", [version("a", 1, T1, ["y", "x"]), version("b", 1, T2, [1, 1.0])]
    yield "a map", "crdt", [version("a", 1, T1, {"f": 1}), version("b", 1, T2, {"f": 2, "g": None})]
    yield "a register", "crdt", [version("a", 1, T1, "x"), version("b", 1, T2, 1)]
    yield "siblings", "vector", [version("a", 1, T1, "x"), version("b", 1, T2, 1), version("c", 1, T2, True)]


def tampered(answer: Dict[str, Any]) -> Iterator[Tuple[str, str, Optional[bool], Dict[str, Any]]]:
    """(name, rule, whether it must be refused or None if the rules leave it open, the changed answer)."""
    value = answer["value"]
    others = {int: 13, float: 13.5, list: [13], dict: {"f": 13}}.get(type(value), "else")
    yield "another value", "§3.3", True, dict(answer, value=others)
    yield "null", "§3.3", True, dict(answer, value=None)
    if type(value) is int:
        yield "the same number as a double", "§3.3", True, dict(answer, value=float(value))
    if isinstance(value, list):
        yield "another order", "§3.3", True, dict(answer, value=value[::-1])
        yield "a repeated element", "§3.3", True, dict(answer, value=value + value[-1:])
    if answer.get("siblings"):
        yield "a sibling lost", "§2.2", True, dict(answer, siblings=answer["siblings"][1:])
        yield "siblings left out", "§2.2", None, {name: item for name, item in answer.items() if name != "siblings"}
    for crdt_state in ({}, [], None, 1, "", "x", {"x": 1}):
        yield f"crdt_state {crdt_state!r}", "§2.2", True if crdt_state is not None else None, dict(
            answer, crdt_state=crdt_state)
    for path, item in leaves(answer["crdt_state"]):
        for changed in {canonical(None), canonical(-1), canonical("coordinator"), canonical([])} - {canonical(item)}:
            state = replaced(answer["crdt_state"], path, parse(changed.decode()))
            yield f"crdt_state at {path} is {changed.decode()}", "§2.2", None, dict(answer, crdt_state=state)
    for name, item in {"agent_id": "a", "timestamp": "2020-01-01T00:00:00Z", "vector_clock": {"z": 9},
                       "vector_clock of nobody": {}, "crdt_type": "register", "crdt_type of a set": "set",
                       "version": 0}.items():
        yield f"another {name}", "§3.1", None, dict(answer, **{name.split(" ")[0]: item})


def leaves(state: Any, path: Tuple[Any, ...] = ()) -> Iterator[Tuple[Tuple[Any, ...], Any]]:
    items = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
    for name, item in items:
        yield path + (name,), item
        yield from leaves(item, path + (name,))


def replaced(state: Any, path: Tuple[Any, ...], item: Any) -> Any:
    if not path:
        return item
    copy = dict(state) if isinstance(state, dict) else list(state)
    copy[path[0]] = replaced(state[path[0]], path[1:], item)
    return copy


def check(product: Product) -> Tuple[int, List[Fault]]:
    """Every change is refused, or (where the rules leave it open) gives an answer for which §3.1 holds."""
    faults: List[Fault] = []
    count = 0
    for name, strategy, versions in conflicts():
        line = product.answers(strategy, [json.dumps(versions)])[0]
        joined = parse(line)
        if "crdt_state" not in joined:
            return count, faults + [Fault(name, "§3.1", json.dumps(versions), line)]
        changes = list(tampered(joined))
        for target in STRATEGIES:
            documents = [json.dumps([change[3]]) for change in changes]
            lawful = _lawful(product, target, [change[3] for change in changes], versions)
            for change, text, answer, law in zip(changes, documents, product.answers(target, documents), lawful):
                count += 1
                must = change[2] and (target == strategy or change[1] == "§3.3")
                if _harmful(must, answer) or (must is None and not law):
                    faults.append(Fault(f"{name}, {change[0]}, under {target}", change[1], text, answer.strip()))
    return count, faults


def _harmful(must_refuse: Optional[bool], line: str) -> bool:
    answer = read_answer(line)
    return answer.problem is not None or bool(must_refuse and answer.version is not None)


def _lawful(product: Product, strategy: str, changes: List[Any], versions: List[Any]) -> List[bool]:
    """§3.1 for each changed answer beside the versions it came from: in steps and in another order as at once."""
    rest = product.answers(strategy, [json.dumps(versions)])[0].strip()
    documents = [text for changed in changes for text in (
        json.dumps([changed] + versions), json.dumps(versions[::-1] + [changed]), f"[{json.dumps(changed)},{rest}]")]
    answers = [read_answer(line) for line in product.answers(strategy, documents)]
    return [_agree(answers[start:start + 3]) for start in range(0, len(answers), 3)]


def _agree(answers: List[Answer]) -> bool:
    found = [laws(answer.version) for answer in answers if answer.version is not None]
    return not any(answer.problem for answer in answers) and all(item == found[0] for item in found)
