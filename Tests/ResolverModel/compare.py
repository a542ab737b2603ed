"""Whether an answer is one that the model allows. Forms that no rule determines (`crdt_state`, an item of `discarded`
or `siblings`) are not compared; what the rules promise about them is."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, NamedTuple, Optional, Sequence

from rules import Outcome
from values import Refused, canonical, parse
from versions import Version, read_version

REPORTS = ("resolution_strategy", "discarded", "merged_from_agents", "resolved_at", "inferred", "skew_ms")


class Problem(NamedTuple):
    rule: str
    text: str


class Answer(NamedTuple):
    """An answer line, read: a version, or an error, or what is wrong with the line itself."""

    version: Optional[Version]
    error: Optional[Any]
    problem: Optional[Problem]


def read_answer(line: str) -> Answer:
    try:
        fields = parse(line, shortest=True)
        if not isinstance(fields, dict):
            return Answer(None, None, Problem("§3.3", "the answer is no object"))
        if "crashed" in fields:
            return Answer(None, None, Problem("§3.3", "the process ended or hung instead of answering"))
        if "error" in fields:
            return Answer(None, fields["error"], None)
        return Answer(read_version(fields), None, None)
    except Refused as refused:
        return Answer(None, None, Problem(refused.rule, f"the answer is not itself a valid input: {refused}"))


def laws(answer: Version) -> Dict[str, Any]:
    """The fields that §3.1 promises are the same in any order, with repeats and in steps."""
    return {"value": answer.value, "agent_id": answer.agent, "vector_clock": answer.clock,
            "crdt_type": answer.crdt_type, "crdt_state": answer.crdt_state, "siblings": answer.siblings}


def disagreement(outcome: Outcome, inputs: Sequence[Version], answer: Version) -> Optional[Problem]:
    if answer.key != inputs[0].key:
        return Problem("§3.1", f"state_key {answer.key!r}")
    if outcome.inputs:
        problems = [_not_returned(inputs[index], answer) for index in outcome.inputs]
        problem = None if None in problems else problems[0]
    else:
        problem = _not_joined(outcome, answer)
    return problem or _misreported(outcome, inputs, answer)


def _not_returned(given: Version, answer: Version) -> Optional[Problem]:
    """§3.1: the input is returned, every field but `metadata` unchanged. §3.2: its own metadata fields are kept."""
    for field in dataclasses.fields(Version):
        name = field.name
        if name not in ("metadata", "order", "state") and getattr(given, name) != getattr(answer, name):
            return Problem("§3.1", f"the join equals an input's state: {name} is {getattr(given, name)!r} there, "
                                   f"{getattr(answer, name)!r} in the answer")
    for name, item in given.metadata.items():
        if name not in REPORTS and canonical(answer.metadata.get(name)) != canonical(item):
            return Problem("§3.2", f"the returned input's own metadata field {name!r} is lost or changed")
    return None


def _not_joined(outcome: Outcome, answer: Version) -> Optional[Problem]:
    section = "§3.7" if outcome.name == "crdt" else "§3.6"
    expected = {"value": outcome.value, "agent": outcome.agent.decode(), "timestamp": outcome.timestamp}
    for name, item in expected.items():
        if getattr(answer, name) != item:
            return Problem(section, f"{name} is {item!r} by the rule, {getattr(answer, name)!r} in the answer")
    if answer.version != outcome.version:
        return Problem("§3.2", f"version is max + 1 = {outcome.version}, {answer.version} in the answer")
    if answer.crdt_state is None:
        return Problem(section, "a join that is no input needs its crdt_state")
    if outcome.clock is not None and answer.clock != outcome.clock:
        return Problem(section, f"vector_clock is the join {outcome.clock!r}, {answer.clock!r} in the answer")
    return _wrong_type(outcome, answer) if outcome.name == "crdt" else _wrong_siblings(outcome, answer)


def _wrong_type(outcome: Outcome, answer: Version) -> Optional[Problem]:
    if outcome.declared is not None:
        if answer.crdt_type != outcome.declared or answer.metadata.get("inferred"):
            return Problem("§3.7", f"the type is declared, {outcome.declared}; {answer.crdt_type} in the answer")
        return None
    if answer.crdt_type not in (None, outcome.view_type):
        return Problem("§3.7", f"the inferred type is {outcome.view_type}, {answer.crdt_type} in the answer")
    if not answer.metadata.get("inferred"):
        return Problem("§3.7", "metadata.inferred does not say that the type is inferred")
    return None


def _wrong_siblings(outcome: Outcome, answer: Version) -> Optional[Problem]:
    siblings = parse((answer.siblings or b"[]").decode())
    if not isinstance(siblings, list) or len(siblings) != len(outcome.siblings):
        return Problem("§3.6", f"{len(outcome.siblings)} others are siblings, the answer has {siblings!r}")
    if all(isinstance(item, dict) and "value" in item for item in siblings):
        shown = tuple(sorted(canonical(item["value"]) for item in siblings))
        if shown != outcome.siblings:
            return Problem("§3.6", f"the siblings' values are {outcome.siblings!r}, {shown!r} in the answer")
    return None


def _misreported(outcome: Outcome, inputs: Sequence[Version], answer: Version) -> Optional[Problem]:
    """§3.2: what `metadata` reports about this call. Reports that an input brought along are not judged."""
    metadata = answer.metadata
    if metadata.get("resolution_strategy") != outcome.name:
        return Problem("§3.2", f"resolution_strategy is {outcome.name!r}, {metadata.get('resolution_strategy')!r} "
                               "in the answer")
    brought = {name for given in inputs for name in given.metadata}
    if "resolved_at" in metadata and "resolved_at" not in brought:
        return Problem("§3.2", "resolved_at though the caller passed no time")
    if answer.crdt_state is None and "merged_from_agents" in metadata and "merged_from_agents" not in brought:
        return Problem("§3.2", "merged_from_agents though the result has no crdt_state")
    if answer.crdt_state is not None and outcome.contributors:
        named = metadata.get("merged_from_agents")
        if not isinstance(named, list) or not all(isinstance(agent, str) for agent in named):
            return Problem("§3.2", f"merged_from_agents is {named!r}")
        agents = {agent.encode() for agent in named}
        if len(agents) != len(named) or not outcome.contributors <= agents or (
                outcome.name == "crdt" and outcome.contributors != agents):
            return Problem("§3.2", f"merged_from_agents is {sorted(outcome.contributors)!r}, {named!r} in the answer")
    unnamed = outcome.discarded - _agents_in(metadata.get("discarded"))
    if unnamed:
        return Problem("§3.2", f"discarded does not say that something of {sorted(unnamed)!r} was")
    if outcome.name == "lww" and outcome.skew_is_certain and "skew_ms" not in brought:
        if canonical(metadata.get("skew_ms")) != canonical(outcome.skew_ms):
            return Problem("§3.4", f"skew_ms is {outcome.skew_ms}, {metadata.get('skew_ms')} in the answer")
    return None


def _agents_in(discarded: Any) -> set:
    """Every string within `discarded`, whatever its form: the agents it names are among them."""
    if isinstance(discarded, str):
        return {discarded.encode()}
    items = discarded.values() if isinstance(discarded, dict) else discarded if isinstance(discarded, list) else ()
    keys = {name.encode() for name in discarded} if isinstance(discarded, dict) else set()
    return keys.union(*[_agents_in(item) for item in items])
