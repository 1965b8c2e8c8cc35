"""A picture classification set of torchvision by its name, from local files: `torchvision:FashionMNIST`."""

import gzip
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.files import replacing
from components.datasets.sources import Item, Rejected, Source, Split

UNPACKED = Path(".winnow/torchvision")
HALVES: tuple[Split, Split] = ("train", "test")


class Torchvision(Source):
    """Any set in `torchvision.datasets` of (picture, class number) with `train=True|False` or `split='train'|'test'`.

    Files are looked for in `ingest.root`; packed `.gz` files that torchvision wants unpacked are unpacked aside.
    """

    fits = ("pixels",)
    uses = frozenset({"root", "download"})

    def __init__(self, config: Source.Config) -> None:
        from torchvision import datasets

        super().__init__(config)
        if config.argument not in (known := list(datasets.__all__)):
            raise WinnowError(
                f"torchvision has no data set '{config.argument}': {did_you_mean(config.argument, known)}"
            )
        self._halves = {split: self._open(getattr(datasets, config.argument), split) for split in HALVES}

    def classes(self) -> list[str]:
        return sorted(self._names())

    def count(self) -> int:
        return sum(len(half) for half in self._halves.values())

    def items(self) -> Iterator[Item | Rejected]:
        names = self._names()
        for split, half in self._halves.items():
            for number in range(len(half)):
                path = f"{split}/{number:06d}"
                try:
                    image, target = half[number]
                except OSError as error:
                    yield Rejected(path, "unreadable", f"damaged: {error.strerror or type(error).__name__}.")
                    continue
                pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
                yield Item(path, pixels, names[int(target)], split)

    def _open(self, dataset: Any, split: Split) -> Any:
        accepted = inspect.signature(dataset).parameters
        choice: dict[str, Any] = {"train": split == "train"} if "train" in accepted else {"split": split}
        if "train" not in accepted and "split" not in accepted:
            raise WinnowError(f"torchvision:{dataset.__name__} has no train and test part: it cannot be a source.")
        if "download" in accepted:
            choice["download"] = self.config.download
        try:
            half = dataset(_unpacked(self.config.root, dataset.__name__), **choice)
            image, target = half[0]
        except (RuntimeError, OSError, TypeError, ValueError) as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise WinnowError(
                f"torchvision:{dataset.__name__} cannot be read in ingest.root '{self.config.root}' ({why}): "
                "put its files there, or set ingest.download: true."
            ) from None
        if not hasattr(image, "convert") or not isinstance(target, int | np.integer):
            raise WinnowError(
                f"torchvision:{dataset.__name__} does not hold (picture, class) pairs: it cannot be a source."
            )
        return half

    def _names(self) -> list[str]:
        half = self._halves["train"]
        if not hasattr(half, "classes"):
            raise WinnowError(f"torchvision:{self.config.argument} does not name its classes: it cannot be a source.")
        return [name if isinstance(name, str) else ", ".join(name) for name in half.classes]


def _unpacked(root: Path, name: str) -> Path:
    """`root`, or a folder aside with its `.gz` files unpacked where torchvision wants them so (the MNIST family)."""
    packed = sorted((root / name / "raw").glob("*-ubyte.gz"))
    if not packed or all(path.with_suffix("").exists() for path in packed):
        return root
    for path in packed:
        with (
            replacing(UNPACKED / name / "raw" / path.stem) as aside,
            gzip.open(path) as stream,
            aside.open("wb") as file,
        ):
            shutil.copyfileobj(stream, file)
    return UNPACKED
