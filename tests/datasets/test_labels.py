"""Labels survive the way through their file, whole and byte for byte."""

from pathlib import Path

import numpy as np
import pytest

from components.datasets.labels import Labels, read_labels, write_labels


def some(count: int) -> Labels:
    rows = np.random.default_rng(0).dirichlet(np.ones(3), count).astype(np.float32)
    return Labels([f"{n:016x}" for n in range(count)], rows, ["oracle"] * count, np.arange(count) - 1, ["a", "b", "ü"])


@pytest.mark.parametrize("count", [0, 1, 7])
def test_what_is_written_is_read(tmp_path: Path, count: int) -> None:
    labels = some(count)
    write_labels(tmp_path / "labels.parquet", labels)
    back = read_labels(tmp_path / "labels.parquet")
    assert (back.ids, back.sources, back.classes) == (labels.ids, labels.sources, labels.classes)
    assert back.distributions.shape == (count, 3)
    assert back.distributions.dtype == np.float32
    np.testing.assert_array_equal(back.distributions, labels.distributions)
    np.testing.assert_array_equal(back.folds, labels.folds)


def test_equal_labels_give_equal_bytes(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.parquet", some(50))
    write_labels(tmp_path / "b.parquet", some(50))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_read_arrays_can_be_changed(tmp_path: Path) -> None:
    write_labels(tmp_path / "labels.parquet", some(3))
    read_labels(tmp_path / "labels.parquet").distributions[0] = 0.5
