#!/usr/bin/env python3
"""Checks `moai-flow resolve` against the model of §3. See README.md.

    python3 check.py --binary PATH [--cases 10000] [--seed 1] [--exhaustive] [--jobs 2]
    python3 check.py --self-test --cases 200
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import sys
import time
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import tampering
from cases import Case, known_traps, random_case, small_cases
from compare import read_answer
from product import Product, run_once
from rules import STRATEGIES, resolve
from standin import MUTATIONS
from steps import Failure, run_cases, shrink
from tables import Row, rows
from values import Refused, canonical
from versions import read_document

CHUNK = 2000
SELF_TEST_STRIDE = 601
SHOWN = 5


class Tally:
    """Passed, failed, and the first failure of each kind."""

    def __init__(self) -> None:
        self.passed = self.failed = self.documents = 0
        self.kinds: Dict[Tuple[str, str], Failure] = {}

    def add(self, count: int, failures: Sequence[Failure], documents: int) -> None:
        self.passed += count - len(failures)
        self.failed += len(failures)
        self.documents += documents
        for failure in failures:
            self.kinds.setdefault((failure.case.strategy, failure.problem.rule + failure.problem.text[:24]), failure)


# --- rows and tampering ---------------------------------------------------------------------------------------------


def model_refuses(row: Row, strategy: str) -> bool:
    try:
        resolve(strategy, read_document(row.document))
        return False
    except (Refused, UnicodeError):
        return True


def row_fault(row: Row, line: str) -> str:
    answer = read_answer(line)
    if answer.problem:
        return f"{answer.problem.rule} {answer.problem.text}"
    if row.refused is None:
        return ""
    if row.refused != (answer.version is None):
        return "answered, and must be refused" if row.refused else "refused, and no rule refuses it"
    if row.refused and row.field and row.field not in json.dumps(answer.error):
        return f"the error does not name {row.field}"
    return ""


def row_faults(product: Product) -> Iterator[Tuple[Row, str, str, str]]:
    """(row, strategy, what is wrong or nothing, answer)."""
    for strategy in STRATEGIES:
        chosen = [row for row in rows() if strategy in row.strategies and row.document.strip()]
        for row, line in zip(chosen, product.answers(strategy, [row.document for row in chosen])):
            fault = row_fault(row, line)
            if row.refused not in (None, model_refuses(row, strategy)):
                fault = "the MODEL does not agree with its own table"
            yield row, strategy, fault, line.strip()


def check_rows(product: Product) -> Tuple[int, int]:
    faults = list(row_faults(product))
    for row, strategy, fault, line in faults:
        if fault:
            print(f"FAILED {row.rule} {strategy}: {row.name}: {fault}\n  document: {row.document[:300]!r}\n"
                  f"  answer:   {line[:300]}")
    failed = sum(1 for _, _, fault, _ in faults if fault)
    return len(faults) - failed, failed


def check_exit_codes(command: Sequence[str]) -> Tuple[int, int]:
    """interfaces: `resolve` always prints JSON; every error of §3.3 is exit 2 and one line on standard error."""
    passed = failed = 0
    for row in rows():
        if len(row.document) > 4096 or row.refused is None or "\0" in row.document:
            continue
        ran = run_once(command, row.strategies[0], row.document)
        answered = ran.returncode == 0 and read_answer(ran.stdout.decode("utf-8", "replace")).version is not None
        refused = ran.returncode == 2 and not ran.stdout and len(ran.stderr.strip().splitlines()) == 1
        fine = refused if row.refused else answered
        passed, failed = (passed + 1, failed) if fine else (passed, failed + 1)
        if not fine:
            print(f"FAILED interfaces: {row.name}: exit {ran.returncode}, stdout {ran.stdout[:200]!r}, "
                  f"stderr {ran.stderr[:300]!r}\n  document: {row.document[:300]!r}")
    return passed, failed


def check_tampering(product: Product) -> Tuple[int, int]:
    count, faults = tampering.check(product)
    for fault in faults[:SHOWN * 4]:
        print(f"FAILED {fault.rule} {fault.name}\n  document: {fault.document[:600]}\n  answer:   {fault.answer[:600]}")
    return count - len(faults), len(faults)


# --- cases ----------------------------------------------------------------------------------------------------------


class Job(NamedTuple):
    small: bool
    start: int
    count: int


_product: Product
_small: List[Case] = []


def _start(command: Sequence[str], options: Sequence[str]) -> None:
    global _product
    _product = Product(command, options)


def _work(job: Job) -> Tuple[int, List[Failure], int]:
    if job.small and len(_small) < job.start + job.count:
        _small[:] = small_cases()
    cases = (_small[job.start:job.start + job.count] if job.small
             else [random_case(seed) for seed in range(job.start, job.start + job.count)])
    failures, documents = run_cases(cases, _product)
    return len(cases), failures, documents


def jobs(cases: int, seed: int, exhaustive: bool) -> Iterator[Job]:
    total = sum(1 for _ in small_cases()) if exhaustive else len(known_traps())
    yield from (Job(True, start, min(CHUNK, total - start)) for start in range(0, total, CHUNK))
    first = seed * 1_000_000_007 + 1
    yield from (Job(False, first + start, min(CHUNK, cases - start)) for start in range(0, cases, CHUNK))


def check_cases(command: Sequence[str], plan: Sequence[Job], workers: int) -> Tally:
    tally = Tally()
    with multiprocessing.Pool(workers, _start, (list(command), ())) as pool:
        done = 0
        for count, failures, documents in pool.imap_unordered(_work, plan):
            tally.add(count, failures, documents)
            done += count
            if done % (10 * CHUNK) < CHUNK:
                print(f"  {done} cases, {tally.documents} documents, {tally.failed} failed", flush=True)
    return tally


def show(failure: Failure, product: Product) -> None:
    smallest = shrink(failure, product)
    print(f"FAILED {smallest.problem.rule} {smallest.case.strategy}, case seed {failure.case.seed}: "
          f"{smallest.problem.text}")
    for fields in smallest.case.versions:
        print(f"  version:  {canonical(fields).decode()}")
    print(f"  document: {smallest.document}\n  answer:   {smallest.answer}\n  model:    {smallest.expected}")


# --- runs -----------------------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> bool:
    command, started = [os.path.abspath(options.binary)], time.monotonic()
    if options.binary.endswith(".py"):
        command.insert(0, sys.executable)
    product = Product(command)
    parts = {"tables": check_rows(product), "tampering": check_tampering(product)}
    if not options.binary.endswith(".py"):
        parts["exit codes"] = check_exit_codes(command)
    plan = list(jobs(options.cases, options.seed, options.exhaustive))
    small = sum(job.count for job in plan if job.small)
    print(f"{small} small cases, {options.cases} random ones from seed {options.seed}", flush=True)
    tally = check_cases(command, plan, options.jobs)
    for failure in list(tally.kinds.values())[:SHOWN * 2]:
        show(failure, product)
    parts["cases"] = (tally.passed, tally.failed)
    for name, (passed, failed) in parts.items():
        print(f"{name}: {passed} passed, {failed} failed")
    print("conflict detection (§3.9): not exposed by `resolve`, skipped")
    print(f"{tally.documents} documents in {time.monotonic() - started:.0f} s")
    failed = sum(part[1] for part in parts.values())
    print(f"{sum(part[0] for part in parts.values())} passed, {failed} failed")
    return failed == 0


def found_with(work: Tuple[Optional[str], int]) -> Tuple[Optional[str], List[str]]:
    """What the driver finds in the stand-in with this mutation: by cases, or else by the tables or tampering."""
    mutation, count = work
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "standin.py")
    product = Product([sys.executable, script], ["--mutation", mutation] if mutation else [])
    cases = known_traps() + [random_case(seed) for seed in range(count)]
    cases += itertools.islice(small_cases(), 0, None, SELF_TEST_STRIDE)
    failures, _ = run_cases(cases, product)
    found = [f"{failure.problem.rule} {failure.problem.text}" for failure in failures]
    if not found:
        found += [f"{row.rule} {row.name}: {fault}" for row, _, fault, _ in row_faults(product) if fault]
        found += [f"{fault.rule} {fault.name}" for fault in tampering.check(product)[1]]
    return mutation, found


def self_test(options: argparse.Namespace) -> bool:
    """The stand-in agrees with the model; each of its mutations is found."""
    passed = failed = 0
    with multiprocessing.Pool(options.jobs) as pool:
        mutations: List[Optional[str]] = [None, *sorted(MUTATIONS)]
        for mutation, found in pool.imap(found_with, [(mutation, options.cases) for mutation in mutations]):
            fine = bool(found) == bool(mutation)
            passed, failed = (passed + 1, failed) if fine else (passed, failed + 1)
            says = found[0][:90] if found else "nothing found"
            print(f"{'ok' if fine else 'FAILED'}  {mutation or 'no mutation'}: {says}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed == 0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", help="the moai-flow to check")
    arguments.add_argument("--cases", type=int, default=2000, help="how many random cases (default 2000)")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--exhaustive", action="store_true", help="all small cases too")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--self-test", action="store_true", help="show that the driver finds planted mutations")
    options = arguments.parse_args()
    if not options.self_test and not options.binary:
        arguments.error("give --binary PATH or --self-test")
    sys.exit(0 if (self_test(options) if options.self_test else run(options)) else 1)


if __name__ == "__main__":
    main()
