"""Each case is resolved at once, shuffled with repeats, and in steps whose results are inputs of later steps (§3.1)."""

from __future__ import annotations

import dataclasses
import itertools
import random
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from cases import Case, text
from compare import Problem, disagreement, laws, read_answer
from product import Product
from rules import Outcome, resolve
from values import Refused, parse
from versions import Version, read_version


class Failure(NamedTuple):
    case: Case
    problem: Problem
    document: str
    answer: str
    expected: str


@dataclasses.dataclass
class Node:
    """A version that later steps can take: a given one, or what a step answered. None once a step was refused."""

    text: str
    version: Optional[Version]
    leaves: FrozenSet[int]


class Run:
    """One case under way: its plan of steps, and what has been answered so far."""

    def __init__(self, case: Case):
        self.case = case
        self.failure: Optional[Failure] = None
        self.documents = 0
        self._nodes: Dict[int, Node] = {}
        for index, fields in enumerate(case.versions):
            line = text(fields)
            self._nodes[index] = Node(line, read_version(parse(line)), frozenset([index]))
        self._plan = plan(len(case.versions), case.seed)
        self._laws: Dict[FrozenSet[int], Dict[str, Any]] = {}
        self._states: Dict[Tuple[bytes, Optional[str]], Any] = {}

    def ready(self) -> List[Tuple[int, Tuple[int, ...]]]:
        """The steps whose inputs are all there."""
        if self.failure:
            return []
        steps = [step for step in self._plan if all(index in self._nodes for index in step[1])]
        self._plan = [step for step in self._plan if step not in steps]
        return steps

    def document(self, inputs: Sequence[int]) -> Optional[str]:
        nodes = [self._nodes[index] for index in inputs]
        if any(node.version is None for node in nodes):
            return None
        self.documents += 1
        versions = "[" + ",".join(node.text for node in nodes) + "]"
        return versions if self.case.seed % 4 == 1 else f'{{"state_key":"k","versions":{versions}}}'

    def skip(self, step: int) -> None:
        self._nodes[step] = Node("", None, frozenset())

    def take(self, step: int, inputs: Sequence[int], document: str, line: str) -> None:
        """Judges the answer to a step and keeps it for the steps that follow."""
        if self.failure:
            return
        versions = [self._nodes[index].version for index in inputs]
        leaves = frozenset().union(*[self._nodes[index].leaves for index in inputs])
        expected: Any = None
        try:
            expected = resolve(self.case.strategy, versions)
        except Refused as refused:
            expected = refused
        answer = read_answer(line)
        problem = answer.problem
        self.skip(step)
        if problem is None and answer.version is None:
            if isinstance(expected, Outcome) and not expected.may_refuse:
                problem = Problem("§3.3", "refused, and no rule refuses it")
        elif problem is None and isinstance(expected, Refused):
            problem = Problem(expected.rule, f"answered, and the rule refuses it: {expected}")
        elif problem is None:
            problem = disagreement(expected, versions, answer.version) or self._broken_law(leaves, answer.version)
            problem = problem or self._lost_state(expected, answer.version)
            state = expected.state if answer.version.crdt_state is not None else None
            self._nodes[step] = Node(line.strip(), dataclasses.replace(answer.version, state=state), leaves)
        if problem is not None:
            self.failure = Failure(self.case, problem, document, line.strip(), str(expected))

    def _broken_law(self, leaves: FrozenSet[int], answer: Version) -> Optional[Problem]:
        found = laws(answer)
        first = self._laws.setdefault(leaves, found)
        for name, item in found.items():
            if item != first[name]:
                return Problem("§3.1", f"{name} differs between two ways to resolve the same versions: "
                                       f"{first[name]!r} and here {item!r}")
        return None

    def _lost_state(self, expected: Outcome, answer: Version) -> Optional[Problem]:
        """Later joins know the state from `crdt_state` and `crdt_type`: these may not stand for two states."""
        if answer.crdt_state is None or expected.state is None:
            return None
        if self._states.setdefault((answer.crdt_state, answer.crdt_type), expected.state) != expected.state:
            return Problem("§3.1", "one crdt_state stands for two different states")
        return None


def plan(count: int, seed: int) -> List[Tuple[int, Tuple[int, ...]]]:
    """(name of the step, names of its inputs): given versions are 0 ..< count, the first step is all at once."""
    names = itertools.count(count)
    everything = tuple(range(count))
    steps = [(next(names), everything)]
    at_once = steps[0][0]
    if seed == 0:
        steps.append((next(names), everything[::-1] + everything[:1]))
        if count == 3:
            for alone in everything:
                pair = tuple(index for index in everything if index != alone)
                steps.append((next(names), pair))
                steps.append((next(names), (steps[-1][0], alone)))
        steps.append((next(names), (at_once,)))
        return steps
    rng = random.Random(seed)
    shuffled = list(everything) + rng.choices(everything, k=rng.randint(0, 3))
    rng.shuffle(shuffled)
    steps.append((next(names), tuple(shuffled)))
    left, used = list(everything), [at_once] if rng.random() < 0.2 else []
    while len(left) > 1:
        taken = rng.sample(left, min(len(left), rng.choice([2, 2, 2, 3])))
        left = [index for index in left if index not in taken]
        again = [rng.choice(used)] if used and rng.random() < 0.3 else []
        inputs = taken + again
        rng.shuffle(inputs)
        used += taken
        steps.append((next(names), tuple(inputs)))
        left.append(steps[-1][0])
    again = (at_once, left[0]) + tuple(rng.choices(everything, k=rng.randint(0, 2)))
    steps.append((next(names), again))
    return steps


def run_cases(cases: Sequence[Case], product: Product) -> Tuple[List[Failure], int]:
    """Runs the cases side by side, a round of documents at a time. Answers the failures and how many documents went."""
    runs = [Run(case) for case in cases]
    waiting = True
    while waiting:
        waiting = False
        asked: Dict[str, List[Tuple[Run, int, Tuple[int, ...], str]]] = {}
        for run in runs:
            for step, inputs in run.ready():
                waiting = True
                document = run.document(inputs)
                if document is None:
                    run.skip(step)
                else:
                    asked.setdefault(run.case.strategy, []).append((run, step, inputs, document))
        for strategy, questions in asked.items():
            answers = product.answers(strategy, [question[3] for question in questions])
            for (run, step, inputs, document), line in zip(questions, answers):
                run.take(step, inputs, document, line)
    return [run.failure for run in runs if run.failure], sum(run.documents for run in runs)


def shrink(failure: Failure, product: Product) -> Failure:
    """The smallest case that still fails, dropping versions and then optional fields."""
    smaller = True
    while smaller:
        smaller = False
        for case in _smaller(failure.case):
            failures, _ = run_cases([case], product)
            if failures:
                failure, smaller = failures[0], True
                break
    return failure


def _smaller(case: Case) -> List[Case]:
    versions = case.versions
    candidates: List[Tuple[Any, ...]] = []
    if len(versions) > 1:
        candidates += [versions[:index] + versions[index + 1:] for index in range(len(versions))]
    for index, fields in enumerate(versions):
        for name in ("metadata", "vector_clock", "crdt_type", "logical"):
            if name in fields:
                less = {other: item for other, item in fields.items() if other != name}
                candidates.append(versions[:index] + (less,) + versions[index + 1:])
        for name in ("value", "vector_clock"):
            for less in _less(fields.get(name)):
                candidates.append(versions[:index] + (dict(fields, **{name: less}),) + versions[index + 1:])
    # Other seeds stand for other orders and steps; 0 tries all pairs of three.
    seeds = sorted({0, case.seed, case.seed + 1, case.seed + 2, case.seed + 4})
    return [Case(case.strategy, candidate, seed) for candidate in candidates for seed in seeds]


def _less(value: Any) -> List[Any]:
    if isinstance(value, list):
        return [value[:index] + value[index + 1:] for index in range(len(value))]
    if isinstance(value, dict):
        return [{name: item for name, item in value.items() if name != dropped} for dropped in value]
    return []
