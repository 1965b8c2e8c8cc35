"""Pseudo-labels of each fold come back apart from each other, at the size of a real pool."""

import time
from pathlib import Path

import numpy as np
import pytest

from components.core.errors import WinnowError
from components.datasets.pseudo_labels import PseudoLabels, Status, read_pseudo_labels, write_pseudo_labels


def some(count: int, classes: int = 4, seed: int = 0) -> PseudoLabels:
    rows = np.random.default_rng(seed).dirichlet(np.ones(classes), count).astype(np.float32)
    status = np.arange(count, dtype=np.int8) % len(Status)
    return PseudoLabels([f"{n:016x}" for n in range(count)], rows, rows.max(1), status)


def test_each_fold_is_read_apart(tmp_path: Path) -> None:
    by_fold = {1: some(5, seed=1), -1: some(9), 0: some(3, seed=2)}
    write_pseudo_labels(tmp_path / "p.parquet", by_fold)
    for fold, expected in by_fold.items():
        back = read_pseudo_labels(tmp_path / "p.parquet", fold)
        assert back.ids == expected.ids
        np.testing.assert_array_equal(back.distributions, expected.distributions)
        np.testing.assert_array_equal(back.confidence, expected.confidence)
        np.testing.assert_array_equal(back.status, expected.status)
        np.testing.assert_array_equal(back.accepted, np.arange(len(back.ids)) % len(Status) == 0)


def test_an_empty_pool_is_readable(tmp_path: Path) -> None:
    write_pseudo_labels(tmp_path / "p.parquet", {-1: some(0)})
    assert read_pseudo_labels(tmp_path / "p.parquet").distributions.shape == (0, 4)


def test_a_fold_that_was_never_made_is_named(tmp_path: Path) -> None:
    write_pseudo_labels(tmp_path / "p.parquet", {-1: some(2)})
    with pytest.raises(WinnowError, match="fold 3"):
        read_pseudo_labels(tmp_path / "p.parquet", 3)


def test_sixty_thousand_samples_and_six_folds_take_seconds(tmp_path: Path) -> None:
    pool, start = some(60_000, 10), time.process_time()
    write_pseudo_labels(tmp_path / "p.parquet", dict.fromkeys(range(-1, 5), pool))
    assert len(read_pseudo_labels(tmp_path / "p.parquet", 4).ids) == 60_000
    assert time.process_time() - start < 10
