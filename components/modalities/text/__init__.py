"""Texts: documents, messages, rows of a table, in any script; stored as UTF-8, seen as words or bytes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from components.datasets.records import Content, Record
from components.datasets.sample_store import ANY, BLOCK, Samples, padded
from components.modalities import Array, Input, Level, Modality, Pixels, Plain, Positions, Served, Statistics, View
from components.modalities.text.pieces import ALL_BYTES
from components.modalities.text.text_config import TextConfig
from components.modalities.worded import Mark, Part, Worded

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation
    from torch import Tensor

    from components.modalities.text.policy import Policy as TextPolicy
    from components.modalities.text.vocabulary import Vocabulary


class Text(Modality, Worded):
    """Statistics are `counts`: how often each entry of the vocabulary is in the training texts; of byte pairs also
    `merges`, how they are put together. Of a vocabulary that given weights bring, whatever the settings say, also
    `normalizer`; its counts give the order alone.
    """

    Config = TextConfig

    gives = "tokens"
    noun = ("text", "texts")
    hub_tasks = ("feature-extraction", "text-classification")
    dtype = "uint8"
    shape = (ANY,)
    facts = pa.schema([("characters", pa.int32()), ("words", pa.int32())])
    suffixes = frozenset({".txt", ".text"})
    typed = True
    pattern_kinds = ("keyword", "regex")
    traceable = False
    chosen_by = "winnow texts"
    records_are = "(N, L) uint8, UTF-8, 0 behind a text's end"
    views_are = "(N, T) int64, numbers of the vocabulary's entries from 2 on, 1 for others, 0 behind a text's end"

    @property
    def Policy(self) -> "type[TextPolicy]":  # noqa: N802 - a class
        """As the base says."""
        from components.modalities.text.policy import Policy

        return Policy

    @property
    def losses(self) -> Mapping[str, str]:
        """As the base says."""
        from components.modalities.text.decode import LOSSES

        return LOSSES

    @property
    def ladder(self) -> Mapping[str, list[Level]]:
        """As the base says."""
        from components.modalities.text.ladder import ladder

        return ladder(self.material)

    def read(self, content: Content) -> Record:
        """See `decode`; words are those of the whole text."""
        from components.modalities.text.decode import decode
        from components.modalities.text.words import words

        found = decode(bytes(content), self.config.characters)
        return Record(
            _record(found.text), {"characters": found.characters, "words": len(words(found.text))}, found.lost
        )

    def fingerprints(self, records: list[Array]) -> Pixels:
        """SimHash."""
        from components.modalities.text.near import fingerprints

        return fingerprints(records)

    def alike(self, records: list[Array], pairs: Positions) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """By shared pairs of words."""
        from components.modalities.text.near import alike

        return alike(records, pairs)

    def shared_by_many(self, record: Callable[[int], Array], rows: Positions) -> list[str]:
        """Heads and feet."""
        from components.modalities.text.boilerplate import boilerplate

        return boilerplate(record, rows)

    def rules(self) -> "list[Expectation]":
        """As the base says."""
        from components.datasets import expectations as expect

        return [
            expect.between("characters", 1, 2**28, "Every text has between 1 and 268,435,456 characters"),
            expect.between("words", 1, 2**28, "Every text has a word or a sign"),
        ]

    def measure(self, samples: Samples, rows: Positions) -> Statistics:
        """Counts of the vocabulary's entries, and what else makes them."""
        from components.modalities.text.vocabulary import measure

        kind = self.config.vocabulary
        least, most = (1, ALL_BYTES) if kind == "bytes" else (self.config.seen, self.config.most)
        return measure(lambda: map(self._said, _blocks(samples, rows)), kind, least=least, most=most)

    def brought(self, weights: Path) -> Statistics | None:
        """The vocabulary of a `tokenizer.json` beside them."""
        from components.modalities.text.given import brought

        return brought(weights.parent / "tokenizer.json")

    def check(self, statistics: Statistics) -> None:
        """As `measure` makes them."""
        from components.modalities.text.vocabulary import check

        check(statistics, self.config.vocabulary)

    def input(self, statistics: Statistics | None) -> Input:
        """Rows of the vocabulary's numbers; without statistics as many as there may be."""
        if statistics is None:
            most = ALL_BYTES if self.config.vocabulary == "bytes" else self.config.most
            return Input(self.gives, (self.config.length,), 2 + most)
        own = self._vocabulary(statistics)
        return Input(self.gives, (self.config.length,), len(own), own.frequencies, own.sizes)

    def plain(self, statistics: Statistics) -> Plain:
        """The vocabulary's numbers."""
        return self._vocabulary(statistics).tokens

    def vocabulary_file(self, statistics: Statistics) -> bytes | None:
        """As the base says."""
        from components.modalities.text.tokenizer_file import tokenizer_file

        return tokenizer_file(statistics, self.config.vocabulary, self.config.length)

    def view(self, policy: "TextPolicy", statistics: Statistics) -> View:
        """See `look_by`."""
        from components.modalities.text.look import look_by

        return look_by(policy, self._vocabulary(statistics), self.material)

    def gather(
        self, policies: Iterable[Any], samples: Samples, rows: Positions, ids: Sequence[str]
    ) -> Mapping[str, Array]:
        """Synonyms, and versions of the training texts."""
        from components.modalities.text.material import gather

        return gather(policies, samples, rows, ids)

    def describe(self, policy: "TextPolicy") -> str:
        """As the base says; what is taken from files in a few words."""
        rest = super().describe(policy.model_copy(update={"synonyms": None, "rewritten": None}))
        taken = [setting.said for setting in (policy.synonyms, policy.rewritten) if setting is not None]
        return " · ".join([*(part for part in [rest] if part != "as it is" or not taken), *taken])

    def idle(self, policy: "TextPolicy") -> dict[str, str]:
        """As the base says."""
        if policy.synonyms is None or self.config.vocabulary in ("words", "wordpiece"):
            return {}
        return {"synonyms": f"ingest.modality.vocabulary is {self.config.vocabulary}, whose entries are no words"}

    def restore(self, views: "Tensor", statistics: Statistics) -> Array:
        """Words with blanks between them."""
        vocabulary = self._vocabulary(statistics)
        return padded([_record(vocabulary.text(row)) for row in views.cpu().tolist()])

    def to_file(self, record: Array) -> bytes:
        """As UTF-8."""
        return self._said(record).encode()

    @property
    def stored_as(self) -> str:
        """As the base says."""
        return f"up to {self.config.characters:,} characters, UTF-8"

    def show(self, record: Array, *, caption: str = "") -> str:
        """A quotation, cut where it is long; all of it escaped."""
        return self.show_marked(record, [], caption=caption)

    def show_marked(self, record: Array, marks: Sequence[Mark], *, caption: str = "") -> str:
        """See `quotation`; without a mark it begins where the text does."""
        from components.modalities.text.marked import SHOWN, quotation

        return quotation(self._said(record), marks, SHOWN, caption)

    def parts_of(self, record: Array, most: int) -> list[Part]:
        """Words and signs of what a model may see of the text."""
        from components.modalities.text.marked import parts

        return parts(self._said(record), self.config.length, most)

    def without_part(self, record: Array, part: Part) -> Array:
        """As the base says."""
        text = self._said(record)
        return _record(text[: part[0]] + text[part[1] :])

    def show_whole(self, record: Array, *, caption: str = "") -> str:
        """A quotation of all of it."""
        from components.modalities.text.marked import quotation

        text = self._said(record)
        return quotation(text, [], len(text), caption)

    def said_in(self, record: Array, part: Part) -> str:
        """As the base says."""
        return self._said(record)[slice(*part)]

    def matches_of(
        self, samples: Samples, rows: Positions, patterns: Sequence[tuple[str, str]], seconds: int
    ) -> list[Positions]:
        """See `search`."""
        from components.modalities.text.search import search

        return search(map(self._said, _blocks(samples, rows)), patterns, seconds)

    def preview_policies(
        self, path: Path, records: Array, policies: Mapping[str, Any], statistics: Statistics, seed: int
    ) -> None:
        """A block of lines for each text."""
        from components.modalities.text.preview import draw_preview

        said = [f"{name}: {self.describe(policy)}" for name, policy in policies.items()]
        looks = {name: self.view(policy, statistics) for name, policy in policies.items()}
        draw_preview(path, records, looks, self._vocabulary(statistics), said, seed)

    def task(self, path: str, record: Array) -> dict[str, Any]:
        """The text itself."""
        return {"text": self._said(record), "path": path}

    def served(self) -> Served:
        """Strings."""
        return Served("str", ())

    def from_client(self, given: Array) -> Array:
        """Strings as files of them would be read. Raises Unreadable for one without any text."""
        return padded([self.read(_record(str(one))).values for one in given])

    def to_client(self, records: Array) -> Array:
        """As the base says."""
        return np.array([self._said(record) for record in records], np.str_)

    def summary(self, facts: "pd.DataFrame") -> dict[str, Any]:
        """How long texts are."""
        from components.modalities.text.unlike import summary

        return summary(facts)

    def unlike(self, record: Record, summary: Mapping[str, Any]) -> list[str]:
        """By length."""
        from components.modalities.text.unlike import unlike

        return unlike(record, summary)

    def _vocabulary(self, statistics: Statistics) -> "Vocabulary":
        from components.modalities.text.vocabulary import Vocabulary

        return Vocabulary(statistics, self.config.vocabulary, self.config.length)

    @staticmethod
    def _said(record: Array) -> str:
        return np.asarray(record).tobytes().rstrip(b"\0").decode("utf-8", "replace")


def _blocks(samples: Samples, rows: Positions) -> Iterator[Array]:
    for start in range(0, len(rows), BLOCK):
        yield from samples[rows[start : start + BLOCK]]


def _record(text: str) -> Array:
    return np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
