"""1,797 real handwritten digits of 8x8 pixels, installed with scikit-learn (UCI optical recognition, test half)."""

from collections.abc import Iterator

import numpy as np

from components.datasets.sources import Item, Rejected, Source


class Digits(Source):
    """https://archive.ics.uci.edu/dataset/80: Alpaydin & Kaynak 1998; gray levels 0..16, scaled here to 0..255."""

    fits = ("pixels",)
    uses = frozenset({"test_fraction"})

    def classes(self) -> list[str]:
        return [str(digit) for digit in range(10)]

    def count(self) -> int:
        return 1797

    def items(self) -> Iterator[Item | Rejected]:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        pictures = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
        for number, (picture, digit) in enumerate(zip(pictures, bunch.target, strict=True)):
            yield Item(f"digits/{number:04d}", picture, str(digit), None)
