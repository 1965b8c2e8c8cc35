"""Pictures: files of any size and form, stored as small squares of 8 bits per channel."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from components.core.config import Config as BaseConfig
from components.datasets.records import Content, Record
from components.datasets.sample_store import Samples
from components.modalities import Array, Input, Level, Modality, Pixels, Plain, Positions, Served, Statistics, View

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation
    from torch import Tensor

    from components.modalities.image.fitting import Preparation
    from components.modalities.image.policy import Policy as ImagePolicy

DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
MOST = 1e6  # of a statistic; beyond it, and below its inverse as a deviation, sums run over
SMALL = 64  # pixels of a side; below, every pixel shows as a square
COLORS = ("saturation", "hue", "grayscale")  # what they change gray pictures do not have
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV")


class Image(Modality):
    """Statistics are `mean` and `std` of each channel on a scale of 0 to 1, by which views are normalized."""

    class Config(BaseConfig):
        """image_size: pixels of the stored squares' sides; channels: 1 gray, 3 color.

        fit: what is kept of a picture that is no square; range: what becomes black and white where there are more than
        eight bits: `full`, the 16 bits' own 0 and 65535; `file`, each picture's lowest and highest value; `dataset`,
        those of all of them; or these two numbers themselves. interpolation: how pictures get to that size, which given
        weights may want otherwise. max_pixels: larger pictures are not opened.
        """

        image_size: int = Field(32, ge=8, le=1024)
        channels: Literal[1, 3] = 1
        fit: Literal["crop", "pad", "stretch"] = "crop"
        range: Literal["full", "file", "dataset"] | tuple[float, float] = "full"
        interpolation: Literal["bicubic", "bilinear"] = Field("bicubic", exclude_if=lambda value: value == "bicubic")
        max_pixels: int = Field(100_000_000, ge=1, exclude=True)

    gives = "pixels"
    noun = ("picture", "pictures")
    hub_tasks = ("image-feature-extraction", "image-classification")
    dtype = "uint8"
    facts = pa.schema([("width", pa.int32()), ("height", pa.int32()), ("mode", pa.string())])
    suffixes = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"})
    for_files = ("range", "max_pixels")
    chosen_by = "winnow photos"
    records_are = "(N, C, S, S) uint8, 0 to 255"
    views_are = "(N, C, S, S) float32, (x / 255 - mean) / std by channel"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.shape = (config.channels, config.image_size, config.image_size)

    @property
    def Policy(self) -> "type[ImagePolicy]":  # noqa: N802 - a class
        """As the base says."""
        from components.modalities.image.policy import Policy

        return Policy

    @property
    def losses(self) -> Mapping[str, str]:
        """As the base says."""
        from components.modalities.image.losses import LOSSES

        return LOSSES

    @property
    def ladder(self) -> Mapping[str, list[Level]]:
        """As the base says."""
        from components.modalities.image.ladder import ladder

        return ladder(self.config.channels)

    def read(self, content: Content) -> Record:
        """See `decode`."""
        from components.modalities.image.decode import decode

        picture = decode(content, self._preparation, max_pixels=self.config.max_pixels)
        facts = {"width": picture.width, "height": picture.height, "mode": picture.mode}
        return Record(picture.pixels, facts, picture.lost)

    def unread_format(self, head: bytes) -> str:
        """As the base says."""
        from components.modalities.image.formats import unread_format

        return unread_format(head)

    def bytes_needed(self, content: Content) -> int:
        """Four bytes per pixel that is decoded."""
        from components.modalities.image.decode import decoded_pixels

        pixels = decoded_pixels(content, self.config.image_size) if isinstance(content, bytes) else content.size
        return 4 * pixels

    @property
    def surveys(self) -> bool:
        """As the base says."""
        return bool(self.config.range == "dataset")

    def survey(self, contents: Iterable[Content]) -> "Image":
        """With the lowest and highest value of all pictures of more than eight bits as `range`."""
        from components.modalities.image.decode import common_span

        if not self.surveys:
            return self
        found = common_span((one for one in contents if isinstance(one, bytes)), self.config.max_pixels)
        return Image(self.config.model_copy(update={"range": found or "full"}))

    def fingerprints(self, records: list[Array]) -> Pixels:
        """Perceptual hashes."""
        from components.modalities.image.near import perceptual_hashes

        return perceptual_hashes(records)

    def alike(self, records: list[Array], pairs: Positions) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """By thumbnails."""
        from components.modalities.image.near import nearly_same

        return nearly_same(records, pairs)

    def blank(self, record: Array) -> bool:
        """Hardly a gray level in it."""
        from components.modalities.image.near import is_blank

        return is_blank(record)

    def sketches(self, records: list[Array]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Of the picture, of what crops leave of it, and of each mirrored."""
        from components.modalities.image.altered import sketches

        return sketches(records)

    def altered(self, records: list[Array], pairs: Positions, versions: Positions) -> list[str]:
        """Whether cropped, mirrored, or both."""
        from components.modalities.image.altered import altered

        return altered(records, pairs, versions)

    def difference(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
        """Whether in another size."""
        sizes = [(facts["width"], facts["height"]) for facts in (one, other)]
        return "saved anew" if sizes[0] == sizes[1] else "resized"

    def rules(self) -> "list[Expectation]":
        """As the base says."""
        from components.datasets import expectations as expect

        return [
            expect.between("width", 1, 100_000, "Every width is between 1 and 100,000 pixels"),
            expect.between("height", 1, 100_000, "Every height is between 1 and 100,000 pixels"),
            expect.one_of("mode", MODES + DEEP_MODES, "Every pixel format is a known one"),
        ]

    def measure(self, samples: Samples, rows: Positions) -> Statistics:
        """Mean and deviation of each channel."""
        from components.modalities.image.normalize import channel_statistics

        mean, std = channel_statistics(samples, rows, self.config.channels)
        return {"mean": mean, "std": std}

    def check(self, statistics: Statistics) -> None:
        """Two lists of one number for each channel, deviations above 0, none out of all measure."""
        channels = self.shape[0]
        if statistics.keys() != {"mean", "std"} or not all(_numbers(one, channels) for one in statistics.values()):
            raise ValueError(f"mean and std must be lists of {channels}, one number for each channel")
        if min(statistics["std"]) < 1 / MOST or max(map(abs, statistics["mean"] + statistics["std"])) > MOST:
            raise ValueError(f"std must be from {1 / MOST:g} to {MOST:g}, and mean no further from 0")

    def input(self, statistics: Statistics | None) -> Input:
        """Squares of normalized pixels."""
        return Input(self.gives, self.shape)

    def plain(self, statistics: Statistics) -> Plain:
        """`(x / 255 - mean) / std`."""
        from components.modalities.image.normalize import normalize

        return lambda pictures: normalize(pictures, statistics["mean"], statistics["std"])

    def view(self, policy: "ImagePolicy", statistics: Statistics) -> View:
        """See `Augment`."""
        from components.modalities.image.augment import Augment

        return Augment(policy, statistics["mean"], statistics["std"])

    def idle(self, policy: "ImagePolicy") -> dict[str, str]:
        """Colors, on gray pictures."""
        gray = "ingest.modality.channels is 1, which is gray"
        return {name: gray for name in COLORS if getattr(policy, name)} if self.config.channels == 1 else {}

    def restore(self, views: "Tensor", statistics: Statistics) -> Array:
        """Pixels, those outside of their range cut."""
        from components.modalities.image.restore import pixels_of

        return pixels_of(views, statistics["mean"], statistics["std"])

    def simple_features(self, records: Array) -> "dict[str, np.ndarray[Any, np.dtype[np.float32]]]":
        """A few large pixels, and a histogram of the colors."""
        from components.modalities.image.simple import simple_features

        return simple_features(records)

    @property
    def stored_as(self) -> str:
        """As the base says."""
        size = self.config.image_size
        return f"{size} × {size} pixels, {'gray' if self.config.channels == 1 else 'color'}"

    def show(self, record: Array, *, caption: str = "") -> str:
        """A PNG inside the page; of small pictures every pixel shows as a square."""
        return self._image(record, caption, small=max(record.shape[1:]) < SMALL)

    def show_many(self, records: Array, *, caption: str = "") -> str:
        """One picture of them side by side."""
        from components.modalities.sheet import mosaic

        together = mosaic(records[None]).transpose(2, 0, 1)
        return self._image(together, caption, small=max(records.shape[2:]) < SMALL)

    def to_file(self, record: Array) -> bytes:
        """As a PNG file."""
        from components.modalities.image.png import png

        return png(record)

    def tile(self, record: Array) -> Pixels:
        """The picture itself, in color."""
        return np.broadcast_to(record.transpose(1, 2, 0), (*record.shape[1:], 3))

    def describe(self, policy: "ImagePolicy") -> str:
        """As the base says."""
        from components.modalities.image.preview import describe

        return describe(policy)

    def preview_policies(
        self, path: Path, records: Array, policies: Mapping[str, Any], statistics: Statistics, seed: int
    ) -> None:
        """One row per picture: itself, then its views under each policy."""
        from components.modalities.image.preview import draw_preview

        draw_preview(path, records, policies, statistics, seed)

    def served(self) -> Served:
        """Rows of pixels with the colors last, as clients have them."""
        return Served(self.dtype, (*self.shape[1:], self.shape[0]))

    def from_client(self, given: Array) -> Array:
        """As the base says."""
        return np.ascontiguousarray(given, np.uint8).transpose(0, 3, 1, 2)

    def to_client(self, records: Array) -> Array:
        """As the base says."""
        return np.ascontiguousarray(records.transpose(0, 2, 3, 1))

    def summary(self, facts: "pd.DataFrame") -> dict[str, Any]:
        """Forms, sides and aspect."""
        from components.modalities.image.unlike import summary

        return summary(facts)

    def unlike(self, record: Record, summary: Mapping[str, Any]) -> list[str]:
        """By form, size and aspect."""
        from components.modalities.image.unlike import unlike

        return unlike(record, summary, self.config.image_size)

    @property
    def _preparation(self) -> "Preparation":
        from components.modalities.image.fitting import FULL, Preparation

        own = self.config
        span = {"full": FULL, "file": None, "dataset": FULL}.get(own.range, own.range)
        return Preparation(own.image_size, own.channels, own.fit, span, own.interpolation)

    @staticmethod
    def _image(pixels: Pixels, caption: str, *, small: bool) -> str:
        from components.modalities.data_uri import data_uri
        from components.modalities.image.png import png

        pixelated = ' class="pixelated"' if small else ""
        return f'<img{pixelated} src="{data_uri(png(pixels))}" alt="{escape(caption)}">'


def _numbers(values: Any, count: int) -> bool:
    if not isinstance(values, list) or len(values) != count:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < float("inf") for one in values)
