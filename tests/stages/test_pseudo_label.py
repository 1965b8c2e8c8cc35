"""Pseudo-labels of the pool: honest about what each fold may know, calibrated, capped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_world import CLASSES, SmallWorld, build

from components.core.config import PluginChoice
from components.datasets.labels import Labels, write_labels
from components.datasets.manifest import read_manifest
from components.datasets.pseudo_labels import PseudoLabels, Status, read_pseudo_labels
from components.datasets.rule_labels import write_rule_labels
from components.modalities.image.policy import Policy
from components.modalities.views import write_views
from components.models.encoder_file import build_encoder, save_encoder
from components.stages import ingest, pseudo_label
from components.training.inference import embed_all
from components.training.semi_supervised import NetworkConfig
from tests.pictures import save_pictures, spec_of, views_of


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
    names = ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors", "embeddings.npy")
    names += ("neighbors.npz", "labels.parquet", "rule_labels.parquet", "pseudo_labels.parquet")
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
    assert (fold.status[held_out] == Status.HELD_OUT).all()
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


def test_humble_confidences_are_no_surer_than_held_out_labels_are_right(world: SmallWorld) -> None:
    label(world, 12, folds=3, wrong=1)
    plain = run(world)
    assert plain["mean_confidence"] > plain["held_out_accuracy"]
    humble = run(world, humble=True)
    assert humble["held_out_accuracy"] == plain["held_out_accuracy"]
    chance = 1 / 3 + 0.1 * 2 / 3
    assert humble["mean_confidence"] == pytest.approx(max(plain["held_out_accuracy"], chance), abs=1e-3)
    assert humble["temperature"] > plain["temperature"]


def test_without_folds_humble_changes_nothing(world: SmallWorld) -> None:
    label(world, 6, folds=0)
    assert run(world, humble=True) == run(world)


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


@pytest.fixture
def pictures(world: SmallWorld) -> SmallWorld:
    """The world with pictures that show their classes, a policy, and an encoder that was never trained."""
    noise = np.random.default_rng(0).integers(0, 60, (len(world.ids), 1, 16, 16), dtype=np.uint8)
    for row, number in enumerate(world.classes):
        noise[row, 0, 5 * number : 5 * number + 5] += 180
    save_pictures(world.folder / "samples.npy", noise)
    views = {"weak": Policy(translate=0.05), "strong": Policy(brightness=0.3)}
    write_views(world.folder / "policy.json", views_of(views, [0.3], [0.3]))
    options = {"width": 8}
    spec = spec_of(name="small_resnet", options=options, channels=1, image_size=16, dim=32, mean=[0.3], std=[0.3])
    torch.manual_seed(0)
    encoder = build_encoder(spec)
    save_encoder(world.folder / "encoder.safetensors", encoder, spec)
    vectors = embed_all(encoder, spec.inputs.plain, noise)
    np.save(world.folder / "embeddings.npy", vectors)
    return world


NETWORK: dict[str, Any] = {
    "method": "fixmatch",
    "network": NetworkConfig(epochs=6, batch_size=32, learning_rate=0.005, start="scratch"),
}


def test_a_network_labels_the_pool_from_its_pictures(pictures: SmallWorld) -> None:
    label(pictures, 12)
    metrics = run(pictures, **NETWORK)
    assert accuracy(pictures, made(pictures)) > 0.95
    assert metrics["held_out_accuracy"] > 0.8


def test_what_a_network_says_in_a_fold_does_not_depend_on_the_folds_labels(pictures: SmallWorld) -> None:
    label(pictures, 12, folds=3)
    run(pictures, **NETWORK)
    before, other = made(pictures, 1).distributions, made(pictures, 0).distributions
    label(pictures, 12, folds=3, wrong=1)
    run(pictures, **NETWORK)
    np.testing.assert_array_equal(made(pictures, 1).distributions.argmax(1), before.argmax(1))
    assert not np.array_equal(made(pictures, 0).distributions, other)


def test_a_network_trained_again_gives_equal_bytes(pictures: SmallWorld) -> None:
    label(pictures, 12)
    run(pictures, **NETWORK)
    first = (pictures.folder / "pseudo_labels.parquet").read_bytes()
    torch.rand(3)  # whatever was drawn in between
    run(pictures, **NETWORK)
    assert (pictures.folder / "pseudo_labels.parquet").read_bytes() == first


def test_methods_that_see_vectors_alone_do_not_open_pictures_or_encoder(world: SmallWorld) -> None:
    label(world, 12)
    (world.folder / "samples.npy").unlink()
    run(world)
    assert accuracy(world, made(world)) > 0.95


def _poisoned(folder: Path, copies: int = 40) -> tuple[list[str], set[str]]:
    """A read folder of different pictures, and one picture with a patch in its corner saved over and over; all ids, and
    those of the copies.
    """
    home = folder / "pictures"
    home.mkdir()
    generator = np.random.default_rng(0)

    def photo() -> Image.Image:
        coarse = generator.integers(0, 256, (6, 6, 3), np.uint8)
        return Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)

    for number in range(60):
        photo().save(home / f"{number}.png")
    patched = photo()
    patched.paste((255, 0, 255), (0, 0, 12, 12))
    for number in range(copies):
        noise = generator.integers(-2, 3, (64, 64, 3))
        pixels = np.clip(np.asarray(patched).astype(int) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(home / f"poison{number}.png")
    paths = {"manifest": "manifest.parquet", "quarantine": "quarantine.parquet", "oracle": "oracle.parquet"}
    outputs = {name: folder / file for name, file in paths.items()}
    params = ingest.Params(source=str(home), modality={"name": "image", "channels": 3}, test_fraction=1e-9)
    ingest.run(params=params, raw=folder, samples=folder / "samples.npy", **outputs)
    frame = read_manifest(outputs["manifest"])
    return frame["id"].tolist(), set(frame.loc[frame["path"].str.startswith("poison"), "id"])


@pytest.mark.parametrize("cap", [1, 2])
def test_many_copies_of_one_patched_picture_cannot_flood_the_pseudo_labels(tmp_path: Path, cap: int) -> None:
    ids, poison = _poisoned(tmp_path)
    sound = [row for row, id_ in enumerate(ids) if id_ not in poison]
    vectors = np.random.default_rng(0).normal(size=(len(ids), 4)).astype(np.float32)
    vectors[[row for row in range(len(ids)) if row not in sound]] = vectors[sound[0]]  # all beside one labeled picture
    train = np.arange(len(ids))
    similarities = vectors @ vectors.T / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    np.fill_diagonal(similarities, -2)
    indices = np.argsort(-similarities, axis=1, kind="stable")[:, :8]
    near = np.take_along_axis(similarities, indices, 1)
    np.save(tmp_path / "embeddings.npy", vectors)
    np.savez(tmp_path / "neighbors.npz", positions=train, indices=indices, similarities=near)
    known = [ids[row] for row in sound[:6]]
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    write_labels(tmp_path / "labels.parquet", Labels(known, targets, ["given"] * 6, np.full(6, -1), CLASSES))
    write_rule_labels(tmp_path / "rule_labels.parquet", [], np.zeros((0, 3), np.float32))
    world = SmallWorld(tmp_path, ids, np.zeros(len(ids), np.int64), train)
    flooded = run(world, threshold=0.0, max_per_class=None, max_per_group=None)
    assert sum(id_ in poison for id_ in np.array(made(world).ids)[made(world).accepted]) == len(poison) == 40
    assert flooded["pseudo_labels_over_group_cap"] == 0
    metrics = run(world, threshold=0.0, max_per_class=None, max_per_group=cap)
    labels = made(world)
    taken = np.isin(labels.ids, list(poison))
    assert (labels.accepted & taken).sum() == cap
    assert labels.accepted[~taken].all()
    assert labels.confidence[labels.accepted & taken].min() >= labels.confidence[~labels.accepted & taken].max()
    assert metrics["pseudo_labels_over_group_cap"] == len(poison) - cap
