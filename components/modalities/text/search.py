"""Which texts a rule's pattern is found in: words anywhere in them, or a regular expression within a time limit."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.modalities import Positions
from components.modalities.text import search_process
from components.modalities.text.words import words
from components.modalities.worded import UnfitPattern

KEYWORD, REGEX = KINDS = ("keyword", "regex")
TEXTS, CHARACTERS = 4096, 1 << 22  # of a block in memory
GAP = "\0"  # between words: in no text
PROGRAM = [sys.executable, "-IS", "-W", "ignore", search_process.__file__]


def search(texts: Iterable[str], patterns: Sequence[tuple[str, str]], seconds: int) -> list[Positions]:
    """For each pattern (its kind, itself) the numbers of the texts that it is found in, ascending; case never matters.

    A keyword is a word or several in a row, as the vocabulary's words are. A regular expression is Python's, and may
    take so many CPU seconds over all texts. Raises UnfitPattern for the first pattern that cannot be.
    """
    for number, (kind, _) in enumerate(patterns):
        if kind not in KINDS:
            raise UnfitPattern(number, f"is of an unknown kind '{kind}': {did_you_mean(kind, list(KINDS))}")
    keywords = {number: _joined(text) for number, (kind, text) in enumerate(patterns) if kind == KEYWORD}
    expressions = {number: text for number, (kind, text) in enumerate(patterns) if kind == REGEX}
    found: list[list[int]] = [[] for _ in patterns]
    start = 0
    with _Regexes(expressions, seconds) as regexes:
        regexes.check()
        for block in _blocks(texts):
            joined = [_joined(text) for text in block]
            for number, keyword in keywords.items():
                found[number] += [start + row for row, text in enumerate(joined) if keyword in text]
            for number, rows in regexes.found_in(block):
                found[number] += [start + row for row in rows]
            start += len(block)
    return [np.array(rows, np.int64) for rows in found]


class _Regexes:
    """Regular expressions by number, searched by the process that `search_process` is."""

    def __init__(self, patterns: dict[int, str], seconds: int) -> None:
        self._patterns, self._seconds = patterns, seconds

    def __enter__(self) -> "_Regexes":
        self._process = subprocess.Popen(
            PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def check(self) -> None:
        """Raise UnfitPattern for the first that is none."""
        for number, wrong in self._answers([list(self._patterns.values()), self._seconds]):
            if wrong:
                raise UnfitPattern(number, f"is no regular expression ({wrong}): mend it, or make it a keyword.")

    def found_in(self, texts: list[str]) -> Iterator[tuple[int, list[int]]]:
        """Of each expression its number, and the places of the texts that it is found in."""
        return self._answers(texts)

    def _answers(self, asked: object) -> Iterator[tuple[int, Any]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, and why, its next line's absence says
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        for number in self._patterns:
            line = self._process.stdout.readline()
            if not line.endswith("\n"):
                self._ended(number)
            yield number, json.loads(line)

    def _ended(self, number: int) -> None:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            raise UnfitPattern(
                number,
                f"took more than {self._seconds} s of CPU time: make it simpler (one repetition inside another is what "
                "takes long), or raise label.rule_seconds.",
            )
        raise WinnowError(f"the process that searches by rules ended with code {code}: is memory short? Run it again.")


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text)
        if len(block) == TEXTS or size >= CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _joined(text: str) -> str:
    """Its words, a gap around each."""
    return GAP + GAP.join(words(text.casefold())) + GAP
