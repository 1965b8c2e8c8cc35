"""Kinds of data. A folder here is one: its class of that name says all that is special to it, and nothing else does."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.core import plugins
from components.core.config import Config as BaseConfig
from components.core.config import PluginChoice, shown
from components.datasets.near_duplicates import same
from components.datasets.records import Content, Record
from components.datasets.sample_store import Samples
from components.modalities.input import Input as Input
from components.modalities.level import Level as Level
from components.modalities.served import Served as Served

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation
    from torch import Tensor

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]
Statistics = dict[str, Any]
View = Callable[["Tensor", Positions, int], "Tensor"]
Plain = Callable[["Tensor"], "Tensor"]


class Modality(ABC):
    """A kind of data, as `ingest.modality` names and sets it. Constructed as `Name(config)`, family `modality`.

    gives: the kind of its views, which encoders take and methods fit; noun: what people call one sample, and many.
    dtype, shape: of a record in the store; -1 where lengths differ: records are padded with 0 at the end, and a view
    of them too. facts: its own columns of the manifest.
    suffixes: endings of its files, lower case; none: any file may be one. for_files: settings that mean something only
    where the source hands out files. typed: whether a person can type a sample, whose file is then the text in UTF-8.
    traceable: whether `plain` is tensor operations alone, so that an exported program can hold it.
    chosen_by: the command that, given a source, chooses all settings for this kind; empty: there is none.
    records_are, views_are: shapes, types and ranges of both, for whoever uses an exported network.
    hub_tasks: what model hubs call a network that gives vectors of it, and one that gives classes; empty: no name.

    A record is what the store keeps of a sample; statistics are JSON, measured on training rows, and travel with the
    encoder; a view is one tensor, samples first, and what is done to a sample depends on its key and the seed alone.
    """

    Config: ClassVar[type[BaseConfig]]
    gives: str
    noun: ClassVar[tuple[str, str]] = ("sample", "samples")
    dtype: ClassVar[str]
    shape: tuple[int, ...]
    facts: ClassVar[pa.Schema] = pa.schema([])
    suffixes: ClassVar[frozenset[str]] = frozenset()
    for_files: ClassVar[tuple[str, ...]] = ()
    typed: ClassVar[bool] = False
    traceable: ClassVar[bool] = True
    chosen_by: ClassVar[str] = ""
    records_are: ClassVar[str] = "records as the store keeps them"
    views_are: ClassVar[str] = "views as the kind of data makes them"
    hub_tasks: ClassVar[tuple[str, str]] = ("", "")
    material: Mapping[str, Array] = {}  # what policies take from files, see `gather`

    def __init__(self, config: Any) -> None:
        self.config = config

    def with_material(self, material: Mapping[str, Array]) -> "Modality":
        """The same, whose views may take from files what was gathered."""
        other = copy(self)
        other.material = material
        return other

    @property
    def choice(self) -> PluginChoice:
        """Name and settings from which the same records are made: files keep them."""
        name = type(self).__module__.rpartition(".")[2]
        return PluginChoice.model_validate({"name": name, **self.config.model_dump(mode="json")})

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Of records as an exported program takes them: where lengths differ, of the longest, 0 behind an end."""
        return self.shape

    @property
    @abstractmethod
    def Policy(self) -> type[BaseConfig]:  # noqa: N802 - a class
        """The settings of one view; `Policy()` changes nothing."""

    @property
    def losses(self) -> Mapping[str, str]:
        """What of a file may not reach the record, by name; the rest of a sentence that begins with how many samples,
        and says the cure."""
        return {}

    @property
    def ladder(self) -> Mapping[str, list[Level]]:
        """What the audit of augmentations tries, from mild to strong."""
        return {}

    # From files to records

    @abstractmethod
    def read(self, content: Content) -> Record:
        """A file's bytes, or what a source hands out in place of them. Raises `reading.Unreadable` with the reason."""

    def unread_format(self, head: bytes) -> str:
        """Of a file that begins with `head` and is of a known other kind: its name and cure, a sentence; or nothing."""
        return ""

    def bytes_needed(self, content: Content) -> int:
        """How many bytes reading it will take beside the content."""
        return 0

    def survey(self, contents: Iterable[Content]) -> "Modality":
        """Itself, or with settings found by looking at all files first; for most there is no need to."""
        return self

    @property
    def surveys(self) -> bool:
        """Whether `survey` looks at the files."""
        return False

    def fingerprints(self, records: list[Array]) -> Pixels | None:
        """`(M, 8)` uint8: 64 bits, few of which differ between near-duplicates; None: only copies are found."""
        return None

    def alike(self, records: list[Array], pairs: Positions) -> npt.NDArray[np.bool_]:
        """`(P,)`: which `pairs` `(2, P)` of records whose fingerprints are close are near-duplicates."""
        return same(records, pairs)

    def blank(self, record: Array) -> bool:
        """Whether the record is the same all over, so that it shows nothing and is no copy of another like it."""
        return False

    def shared_by_many(self, record: Callable[[int], Array], rows: Positions) -> list[str]:
        """What very many of the rows hold alike that says nothing of each: a sentence for each, with the cure."""
        return []

    def sketches(self, records: list[Array]) -> Floats | None:
        """`(M, V, D)` of length 1: each record, then it as usual changes would leave it; None: no such is looked for.

        What was done to a copy, such as a crop, shows in that one of them is near the copy's own, which is the first.
        """
        return None

    def altered(self, records: list[Array], pairs: Positions, versions: Positions) -> list[str]:
        """What was done to the first of each of the `pairs` `(2, P)` to make the second, `cropped` or the like; ''
        where it is another. versions: `(P,)` which of the first's sketches is near the second's own.
        """
        return [""] * pairs.shape[1]

    def difference(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
        """How two near-duplicates differ by their facts, in a word or two; nothing where facts do not tell."""
        return ""

    def sequences(self, records: Array) -> "tuple[Tensor, Tensor] | None":
        """What of records `(N, *shape)` is compared in its order, `(N, T, F)` and lengths `(N,)`; None: no order."""
        return None

    def rules(self) -> "list[Expectation]":
        """What `validate` expects of the facts."""
        return []

    # From records to views

    @abstractmethod
    def measure(self, samples: Samples, rows: Positions) -> Statistics:
        """Statistics of the rows, a block at a time."""

    def brought(self, weights: Path) -> Statistics | None:
        """Statistics that a file of given weights brings in files beside it, in place of those measured; None: none.

        Raises WinnowError for such files that cannot be used.
        """
        return None

    def check(self, statistics: Statistics) -> None:  # noqa: B027 - a kind may have nothing to check
        """Raise ValueError for statistics that `measure` cannot have given."""

    @abstractmethod
    def input(self, statistics: Statistics | None) -> Input:
        """What an encoder of these views is given; without statistics, as far as the settings say."""

    @abstractmethod
    def plain(self, statistics: Statistics) -> Plain:
        """Records `(B, *shape)` as a model sees them unchanged."""

    def vocabulary_file(self, statistics: Statistics) -> bytes | None:
        """What the library tokenizers makes these views by, the content of a tokenizer.json; None: it has no way."""
        return None

    def view(self, policy: Any, statistics: Statistics) -> View:
        """Records `(B, *shape)`, keys `(B,)` and a seed to views under `policy`; here they are never changed."""
        plain = self.plain(statistics)
        return lambda records, keys, seed: plain(records)

    def gather(
        self, policies: Iterable[Any], samples: Samples, rows: Positions, ids: Sequence[str]
    ) -> Mapping[str, Array]:
        """What the policies take from files that they name, by name, for the training rows and their ids; here nothing.

        It is read once, and then kept with the policies. Raises WinnowError for files that cannot be used.
        """
        return {}

    def idle(self, policy: Any) -> dict[str, str]:
        """Settings of the policy that change nothing in data of these settings, and why."""
        return {}

    def restore(self, views: "Tensor", statistics: Statistics) -> Array:
        """Views back to records, as far as that goes; for methods that make samples."""
        raise NotImplementedError(f"{type(self).__name__} has no way back from views")

    def to_file(self, record: Array) -> bytes:
        """A file's content that is read as this record, for kinds whose samples can be made."""
        raise NotImplementedError(f"{type(self).__name__} makes no files")

    def simple_features(self, records: Array) -> dict[str, npt.NDArray[np.float32]]:
        """`(N, F)` numbers of records `(N, *shape)` that anybody would try first, by what they are; {}: there are none.

        What a model is worth shows beside a logistic regression on these.
        """
        return {}

    # For people

    @property
    def stored_as(self) -> str:
        """In a few words, what each sample is kept as."""
        return " × ".join(str(side) for side in self.shape) + f" {self.dtype}"

    def show(self, record: Array, *, caption: str = "") -> str:
        """The record as HTML, everything of it escaped; caption: what is said to those who do not see it."""
        text = np.array2string(record, precision=3, threshold=12)
        return f'<code title="{escape(caption)}">{escape(text)}</code>'

    def show_whole(self, record: Array, *, caption: str = "") -> str:
        """The same without anything cut, for who asks to see all of it."""
        return self.show(record, caption=caption)

    def show_many(self, records: Array, *, caption: str = "") -> str:
        """A few records side by side."""
        return " ".join(self.show(record, caption=caption) for record in records)

    def tile(self, record: Array) -> Pixels | None:
        """A small picture `(h, w, 3)` of the record for the map; None: a dot."""
        return None

    def describe(self, policy: Any) -> str:
        """The settings of a policy that are on, as one line."""
        on = {name: value for name, value in policy.model_dump().items() if value != getattr(type(policy)(), name)}
        return " · ".join(f"{name.replace('_', ' ')} {shown(value)}" for name, value in on.items()) or "as it is"

    def preview_policies(
        self, path: Path, records: Array, policies: Mapping[str, Any], statistics: Statistics, seed: int
    ) -> None:
        """Write the picture (PNG) that shows a few records, and what the policies make of them."""
        from components.modalities.lines import draw_lines

        said = [f"{name}: {self.describe(policy)}" for name, policy in policies.items()]
        draw_lines(path, [*said, "", *(np.array2string(record, precision=3, threshold=12) for record in records)])

    def task(self, path: str, record: Array) -> dict[str, Any]:
        """The `data` of a labeling tool's task, the sample under the name of its kind."""
        return {type(self).__module__.rpartition(".")[2]: path}

    # For whoever uses the model

    def served(self) -> Served:
        """What clients of a server send."""
        return Served(self.dtype, self.shape)

    def from_client(self, given: Array) -> Array:
        """What clients send, as records."""
        return np.ascontiguousarray(given, self.dtype)

    def to_client(self, records: Array) -> Array:
        """Records, as clients would send them."""
        return records

    def summary(self, facts: "pd.DataFrame") -> dict[str, Any]:
        """What training samples were like, by their facts; JSON, kept with the model."""
        return {}

    def unlike(self, record: Record, summary: Mapping[str, Any]) -> list[str]:
        """In what ways a file is of another form than any that was learned from."""
        return []


def build_modality(choice: PluginChoice, *, where: str = "ingest.modality") -> Modality:
    """The kind of data by its name and settings. Raises WinnowError for wrong ones."""
    modality: Modality = plugins.build("modality", choice, where=where)
    return modality
