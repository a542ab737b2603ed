"""The resolver under test: `resolve --lines` takes a document per input line and gives an answer per line."""

from __future__ import annotations

import subprocess
from typing import List, Sequence

CRASHED = '{"crashed": true}'
ANSWER_SECONDS = 120.0


class Product:
    def __init__(self, command: Sequence[str], options: Sequence[str] = ()):
        self._command, self._options = list(command), list(options)

    def answers(self, strategy: str, documents: Sequence[str]) -> List[str]:
        """One answer per document, from one process; repeated documents are asked once. Where that does not give as
        many answers as documents, the batch is halved until it is known which document ends or hangs the process; its
        answer is `CRASHED`."""
        distinct = list(dict.fromkeys(documents))
        if len(distinct) < len(documents):
            answer = dict(zip(distinct, self.answers(strategy, distinct)))
            return [answer[document] for document in documents]
        answers = self._ask(strategy, documents) if documents else []
        if len(answers) == len(documents):
            return answers
        if len(documents) == 1:
            return [CRASHED]
        middle = len(documents) // 2
        return self.answers(strategy, documents[:middle]) + self.answers(strategy, documents[middle:])

    def _ask(self, strategy: str, documents: Sequence[str]) -> List[str]:
        command = self._command + ["resolve", "--strategy", strategy, "--lines"] + self._options
        text = "".join(document + "\n" for document in documents).encode("utf-8", "surrogateescape")
        try:
            ran = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 timeout=ANSWER_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return []
        return ran.stdout.decode("utf-8", "replace").split("\n")[:-1]


def run_once(command: Sequence[str], strategy: str, document: str) -> subprocess.CompletedProcess:
    """`resolve` as a person runs it: one document from standard input, no `--lines`."""
    arguments = list(command) + ["resolve", "--strategy", strategy]
    return subprocess.run(arguments, input=document.encode("utf-8", "surrogateescape"), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=ANSWER_SECONDS, check=False)
