"""Pseudo-labels of the pool: honest about what each fold may know, calibrated, capped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_world import CLASSES, SmallWorld, build

from components.core.config import PluginChoice
from components.datasets.labels import Labels, write_labels
from components.datasets.pseudo_labels import PseudoLabels, read_pseudo_labels
from components.stages import pseudo_label


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return build(tmp_path)


def label(world: SmallWorld, count: int, folds: int = 2, wrong: int | None = None) -> list[str]:
    """Put labels on the first training samples; `wrong`: a fold whose labels are all mistaken."""
    rows = world.train[:count]
    numbers = np.arange(count) % folds if folds else np.full(count, -1)
    targets = np.eye(3, dtype=np.float32)[
        np.where(numbers == wrong, (world.classes[rows] + 1) % 3, world.classes[rows])
    ]
    ids = [world.ids[row] for row in rows]
    write_labels(world.folder / "labels.parquet", Labels(ids, targets, ["given"] * count, numbers, CLASSES))
    return ids


def run(world: SmallWorld, **settings: Any) -> dict[str, float]:
    params = pseudo_label.Params(method=PluginChoice(name=settings.pop("method", "label_propagation")), **settings)
    names = ("manifest.parquet", "embeddings.npy", "neighbors.npz", "labels.parquet", "pseudo_labels.parquet")
    return pseudo_label.run(params=params, **world.paths(*names))


def made(world: SmallWorld, fold: int = -1) -> PseudoLabels:
    return read_pseudo_labels(world.folder / "pseudo_labels.parquet", fold)


def accuracy(world: SmallWorld, labels: PseudoLabels) -> float:
    truth = dict(zip(world.ids, world.classes.tolist(), strict=True))
    return float(np.mean(np.array([truth[id_] for id_ in labels.ids]) == labels.distributions.argmax(1)))


@pytest.mark.parametrize("method", ["label_propagation", "self_training"])
def test_separate_groups_are_labeled_right(world: SmallWorld, method: str) -> None:
    label(world, 12)
    metrics = run(world, method=method, threshold=0.5)
    assert accuracy(world, made(world)) > 0.95
    assert metrics["held_out_accuracy"] > 0.8
    assert metrics["accepted_share"] > 0.8


def test_the_pool_is_the_unlabeled_training_samples(world: SmallWorld) -> None:
    labeled = label(world, 12)
    run(world)
    assert made(world).ids == [world.ids[row] for row in world.train if world.ids[row] not in labeled]


def test_a_fold_has_its_held_out_samples_too_but_never_accepts_them(world: SmallWorld) -> None:
    labeled = label(world, 12)
    run(world, threshold=0.0)
    fold = made(world, 1)
    held_out = np.isin(fold.ids, labeled)
    assert sorted(np.array(fold.ids)[held_out]) == sorted(labeled[1::2])
    assert not fold.accepted[held_out].any()
    assert fold.accepted[~held_out].all()


def test_what_a_fold_says_does_not_depend_on_its_labels(world: SmallWorld) -> None:
    label(world, 12, folds=3)
    run(world)
    before, other = made(world, 1).distributions, made(world, 0).distributions
    label(world, 12, folds=3, wrong=1)
    run(world)
    np.testing.assert_array_equal(made(world, 1).distributions.argmax(1), before.argmax(1))
    assert (made(world, 0).distributions.argmax(1) != other.argmax(1)).any()


def test_mistaken_labels_lower_the_held_out_accuracy(world: SmallWorld) -> None:
    label(world, 12)
    right = run(world)
    label(world, 12, wrong=0)
    assert run(world)["held_out_accuracy"] < right["held_out_accuracy"]


def test_without_folds_confidences_stay_as_the_method_gave_them(world: SmallWorld) -> None:
    label(world, 6, folds=0)
    metrics = run(world)
    assert metrics["temperature"] == 1.0
    assert "held_out_accuracy" not in metrics


def test_confidence_is_the_highest_probability_and_decides(world: SmallWorld) -> None:
    label(world, 12)
    run(world, threshold=0.9, max_per_class=None)
    labels = made(world)
    np.testing.assert_allclose(labels.distributions.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(labels.confidence, labels.distributions.max(1))
    np.testing.assert_array_equal(labels.accepted, labels.confidence >= np.float32(0.9))


def test_no_class_takes_more_than_its_cap_and_the_surest_come_first(world: SmallWorld) -> None:
    label(world, 12)
    metrics = run(world, threshold=0.0, max_per_class=0.5)
    labels = made(world)
    guesses, cap = labels.distributions.argmax(1), int(0.5 * len(labels.ids) / 3)
    for number in range(3):
        members = guesses == number
        assert labels.accepted[members].sum() == min(cap, members.sum())
        assert labels.confidence[members & labels.accepted].min() >= labels.confidence[members & ~labels.accepted].max()
    assert metrics["pseudo_labels_over_cap"] == len(labels.ids) - labels.accepted.sum()


def test_class_shares_are_reported_beside_those_of_the_labels(world: SmallWorld) -> None:
    label(world, 12)
    metrics = run(world, threshold=0.0)
    assert sum(metrics[f"accepted_share_{name}"] for name in CLASSES) == pytest.approx(1)
    assert metrics["label_share_ant"] == pytest.approx(1 / 3, abs=0.1)


def test_an_exhausted_pool_is_no_error(world: SmallWorld) -> None:
    label(world, len(world.train), folds=0)
    assert run(world)["pseudo_labels_accepted"] == 0
    assert made(world).ids == []


def test_equal_settings_give_equal_bytes(world: SmallWorld) -> None:
    label(world, 12)
    run(world)
    first = (world.folder / "pseudo_labels.parquet").read_bytes()
    run(world)
    assert (world.folder / "pseudo_labels.parquet").read_bytes() == first
