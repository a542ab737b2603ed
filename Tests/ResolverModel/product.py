"""The resolver under test as long-lived processes, one per strategy: a document per input line, an answer per line."""

from __future__ import annotations

import subprocess
import threading
from typing import Dict, List, Optional, Sequence

CRASHED = '{"crashed": true}'
ANSWER_SECONDS = 120.0


class Product:
    def __init__(self, command: Sequence[str], options: Sequence[str] = ()):
        self._command, self._options = list(command), list(options)
        self._processes: Dict[str, subprocess.Popen] = {}

    def answers(self, strategy: str, documents: Sequence[str]) -> List[str]:
        """One answer per document. A document that ends the process, or is not answered in time, answers `CRASHED`."""
        answers: List[str] = []
        while len(answers) < len(documents):
            answers += self._ask(strategy, documents[len(answers):])
            if len(answers) < len(documents):
                answers.append(CRASHED)
                self._end(strategy)
        return answers

    def close(self) -> None:
        for strategy in list(self._processes):
            self._end(strategy)

    def _ask(self, strategy: str, documents: Sequence[str]) -> List[str]:
        process = self._process(strategy)
        writer = threading.Thread(target=_write, args=(process, documents), daemon=True)
        watchdog = threading.Timer(ANSWER_SECONDS, process.kill)
        watchdog.start()
        writer.start()
        answers = []
        for _ in documents:
            line = process.stdout.readline()
            if not line.endswith(b"\n"):
                break
            answers.append(line.decode("utf-8", "replace"))
        watchdog.cancel()
        if len(answers) == len(documents):
            writer.join()
        return answers

    def _process(self, strategy: str) -> subprocess.Popen:
        if strategy not in self._processes:
            command = self._command + ["resolve", "--strategy", strategy, "--lines"] + self._options
            self._processes[strategy] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self._processes[strategy]

    def _end(self, strategy: str) -> None:
        process = self._processes.pop(strategy)
        process.kill()
        process.communicate()


def _write(process: subprocess.Popen, documents: Sequence[str]) -> None:
    try:
        for document in documents:
            process.stdin.write(document.encode("utf-8", "surrogateescape") + b"\n")
        process.stdin.flush()
    except (BrokenPipeError, ValueError):
        pass  # the process is gone: the reader notices


def run_once(command: Sequence[str], strategy: str, document: str, path: Optional[str] = None) -> subprocess.CompletedProcess:
    """`resolve` as a person runs it: one document from standard input or a file, no `--lines`."""
    arguments = list(command) + ["resolve"] + ([path] if path else []) + ["--strategy", strategy]
    return subprocess.run(arguments, input=document.encode("utf-8", "surrogateescape"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=ANSWER_SECONDS, check=False)
