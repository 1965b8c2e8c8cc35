"""Speech: clips in files of any rate and channels; stored as 16-bit samples, seen as log-mel frames or samples."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from components.datasets.records import Content, Record, Unreadable
from components.datasets.sample_store import ANY, Samples
from components.modalities import Array, Input, Level, Modality, Pixels, Plain, Positions, Served, Statistics, View
from components.modalities.speech.speech_config import SpeechConfig

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation
    from torch import Tensor

    from components.modalities.speech.measure import Scale
    from components.modalities.speech.policy import Policy as SpeechPolicy


class Speech(Modality):
    """Statistics are `mean` and `std` of each band in decibels, as far as a clip has no mean of its own."""

    Config = SpeechConfig

    gives = "log_mel"
    noun = ("clip", "clips")
    dtype = "int16"
    shape = (ANY,)
    facts = pa.schema([("rate", pa.int32()), ("channels", pa.int32()), ("seconds", pa.float32())])
    suffixes = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf"})
    chosen_by = "winnow clips"
    records_are = "(N, L) int16, samples at ingest.modality.sample_rate, 0 behind a clip's end"
    views_are = (
        "(N, bands, T) float32, decibels each hundredth of a second less the clip's mean, over the deviation, 0 behind "
        "a clip's end; where ingest.modality.views is wave (N, L) float32, samples of mean 0 and deviation 1"
    )

    def __init__(self, config: SpeechConfig) -> None:
        super().__init__(config)
        self.gives = config.views

    @property
    def full_shape(self) -> tuple[int, ...]:
        """The longest clip there may be."""
        return (self.config.longest,)

    @property
    def Policy(self) -> "type[SpeechPolicy]":  # noqa: N802 - a class
        """As the base says."""
        from components.modalities.speech.policy import Policy

        return Policy

    @property
    def losses(self) -> Mapping[str, str]:
        """As the base says."""
        from components.modalities.speech.decode import LOSSES

        return LOSSES

    @property
    def ladder(self) -> Mapping[str, list[Level]]:
        """As the base says."""
        from components.modalities.speech.ladder import ladder

        return ladder(self.config, self.material)

    def read(self, content: Content) -> Record:
        """See `decode`; an array holds a file's bytes."""
        from components.modalities.speech.decode import decode

        if not isinstance(content, bytes) and content.dtype != np.uint8:
            raise Unreadable("no sound file.", "no_picture")
        found = decode(bytes(content), self.config)
        facts = {"rate": found.rate, "channels": found.channels, "seconds": found.seconds}
        return Record(found.samples, facts, found.lost)

    def unread_format(self, head: bytes) -> str:
        """As the base says."""
        from components.modalities.speech.formats import unread_format

        return unread_format(head)

    def bytes_needed(self, content: Content) -> int:
        """See `memory_needed`."""
        from components.modalities.speech.decode import memory_needed

        return memory_needed(len(content), self.config)

    def fingerprints(self, records: list[Array]) -> Pixels:
        """Signs of how bands change."""
        from components.modalities.speech.near import fingerprints

        return fingerprints(records, self.config)

    def alike(self, records: list[Array], pairs: Positions) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """By correlation of log-mel frames."""
        from components.modalities.speech.near import alike

        return alike(records, pairs, self.config)

    def blank(self, record: Array) -> bool:
        """Silent: nothing in it is louder than 60 decibels below the loudest there can be."""
        from components.modalities.speech.decode import QUIET

        return bool(np.abs(record.astype(np.int32)).max(initial=0) <= QUIET)

    def difference(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
        """Whether at another rate, or of another number of channels."""
        if one["rate"] != other["rate"]:
            return "at another rate"
        return "with other channels" if one["channels"] != other["channels"] else "saved anew"

    def sequences(self, records: Array) -> "tuple[Tensor, Tensor]":
        """Cepstral coefficients each fiftieth of a second."""
        from components.modalities.speech.features import sequences

        return sequences(records, self.config)

    def rules(self) -> "list[Expectation]":
        """As the base says."""
        from components.datasets import expectations as expect
        from components.modalities.speech.decode import RATES

        return [
            expect.between("rate", *RATES, f"Every clip has {RATES[0]:,} to {RATES[1]:,} samples a second"),
            expect.between("channels", 1, 1024, "Every clip has between 1 and 1,024 channels"),
            expect.between("seconds", 0, 2**20, "No clip is longer than 1,048,576 seconds"),
        ]

    def measure(self, samples: Samples, rows: Positions) -> Statistics:
        """Mean and deviation of each band."""
        from components.modalities.speech.measure import measure

        return measure(samples, rows, self.config)

    def check(self, statistics: Statistics) -> None:
        """As `measure` makes them."""
        from components.modalities.speech.measure import check

        check(statistics, self.config)

    def input(self, statistics: Statistics | None) -> Input:
        """Frames, or samples, of the longest clip there may be."""
        longest = self.config.longest
        if self.config.views == "wave":
            return Input(self.gives, (longest,))
        return Input(self.gives, (self.config.bands, 1 + longest // self.config.hop))

    def plain(self, statistics: Statistics) -> Plain:
        """See `look_plainly`."""
        from components.modalities.speech.look import look_plainly

        return look_plainly(self.config, self._scale(statistics))

    def view(self, policy: "SpeechPolicy", statistics: Statistics) -> View:
        """See `look_by`."""
        from components.modalities.speech.look import look_by

        return look_by(policy, self.config, self._scale(statistics), self.material)

    def gather(
        self, policies: Iterable[Any], samples: Samples, rows: Positions, ids: Sequence[str]
    ) -> Mapping[str, Array]:
        """Some training clips, for those that mix another into a clip."""
        from components.modalities.speech.gather import gather

        return gather(policies, samples, rows)

    def idle(self, policy: "SpeechPolicy") -> dict[str, str]:
        """What is done to frames, where samples are seen."""
        from components.modalities.speech.policy import OF_BANDS

        why = "ingest.modality.views is wave, and this is done to frames"
        return {name: why for name in OF_BANDS if getattr(policy, name)} if self.config.views == "wave" else {}

    def restore(self, views: "Tensor", statistics: Statistics) -> Array:
        """Sound again; of frames with phases that were guessed."""
        from components.modalities.speech.restore import restored

        return restored(views, self.config, self._scale(statistics))

    def to_file(self, record: Array) -> bytes:
        """As a WAV file."""
        from components.modalities.speech.show import wav

        return wav(record, self.config.sample_rate)

    def simple_features(self, records: Array) -> "dict[str, np.ndarray[Any, np.dtype[np.float32]]]":
        """Statistics of cepstral coefficients."""
        from components.modalities.speech.features import simple_features

        return simple_features(records, self.config)

    @property
    def stored_as(self) -> str:
        """As the base says."""
        return f"up to {self.config.seconds:g} s, {self.config.sample_rate:,} samples a second"

    def show(self, record: Array, *, caption: str = "") -> str:
        """The wave and a player; of a long clip the beginning."""
        from components.modalities.speech.show import player

        return player(self._inside(record), self.config.sample_rate, caption)

    def show_whole(self, record: Array, *, caption: str = "") -> str:
        """The wave and a player of all of it."""
        from components.modalities.speech.show import player

        return player(self._inside(record), self.config.sample_rate, caption, None)

    def tile(self, record: Array) -> Pixels:
        """Its frames in small."""
        from components.modalities.speech.near import pictures
        from components.modalities.speech.show import tile

        return tile(pictures(record, self.config))

    def preview_policies(
        self, path: Path, records: Array, policies: Mapping[str, Any], statistics: Statistics, seed: int
    ) -> None:
        """A row for each clip, a column for each policy."""
        from components.modalities.speech.preview import draw_preview

        looks: dict[str, View] = {"as it is": self.view(self.Policy(), statistics)}
        looks |= {name: self.view(policy, statistics) for name, policy in policies.items()}
        said = {"as it is": self.stored_as} | {name: self.describe(policy) for name, policy in policies.items()}
        draw_preview(path, records, looks, said, seed)

    def task(self, path: str, record: Array) -> dict[str, Any]:
        """As labeling tools name sounds."""
        return {"audio": path}

    def served(self) -> Served:
        """The rate, then the samples."""
        return Served("float32", (ANY,))

    def from_client(self, given: Array) -> Array:
        """As files with these samples would be read. Raises Unreadable for what is no such row."""
        from components.modalities.speech.clients import from_rows

        return from_rows(given, self.config)

    def to_client(self, records: Array) -> Array:
        """As the base says."""
        from components.modalities.speech.clients import to_rows

        return to_rows(records, self.config)

    def summary(self, facts: "pd.DataFrame") -> dict[str, Any]:
        """How long clips are, and of which rate."""
        from components.modalities.speech.unlike import summary

        return summary(facts)

    def unlike(self, record: Record, summary: Mapping[str, Any]) -> list[str]:
        """By length and rate."""
        from components.modalities.speech.unlike import unlike

        return unlike(record, summary)

    def _scale(self, statistics: Statistics) -> "Scale":
        from components.modalities.speech.measure import Scale

        return Scale.of(statistics)

    @staticmethod
    def _inside(record: Array) -> Array:
        """Without the 0 behind its end that a padded record has."""
        last = np.flatnonzero(record)
        return record[: int(last[-1]) + 1] if len(last) else record[:1]
