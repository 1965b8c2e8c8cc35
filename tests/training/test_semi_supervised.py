"""The trainer of semi-supervised networks: what it starts from, what it shows them, and pools that are not as hoped."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.methods.contracts import Floats, Graph, PoolTask
from components.modalities.image.policy import Policy
from components.models.encoder_file import build_encoder, save_encoder
from components.models.linear_head import fit_linear
from components.training import semi_supervised
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig
from components.training.semi_supervised import NetworkConfig, label_pool
from tests.contracts.built import semi_supervised_networks
from tests.pictures import spec_of, views_of

SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.3], std=[0.35])
SHORT = NetworkConfig(epochs=2, batch_size=32, learning_rate=0.002)
COUNT = 160
GRAPH = Graph(np.zeros((1, 1), np.int64), np.zeros((1, 1), np.float32))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, Path, np.ndarray, Floats]:
    """Real digits 0 to 3 as a pool, their classes, and the vectors of an encoder that was never trained."""
    from sklearn.datasets import load_digits

    seeds.deterministic(1)
    images, classes = load_digits(n_class=4, return_X_y=True)
    samples = (images[:COUNT].reshape(-1, 1, 8, 8) * 15.9).astype(np.uint8).repeat(2, 2).repeat(2, 3)
    views = {"weak": Policy(translate=0.1), "strong": Policy(translate=0.1, rotate=15, brightness=0.3)}
    path = tmp_path_factory.mktemp("encoder") / "encoder.safetensors"
    torch.manual_seed(0)
    save_encoder(path, encoder := build_encoder(SPEC), SPEC)
    corpus = Corpus(samples, np.arange(COUNT), views_of(views, [0.3], [0.35]))
    return corpus, path, classes[:COUNT], embed_all(encoder, SPEC.inputs.plain, samples)


def _task(vectors: Floats, classes: np.ndarray, labeled: np.ndarray, number: int = 4) -> PoolTask:
    return PoolTask(vectors, GRAPH, labeled, np.eye(number, dtype=np.float32)[classes[labeled]], seed=0)


def _first(classes: np.ndarray, *counts: int) -> np.ndarray:
    """Positions of the first so many of each class."""
    return np.sort(np.concatenate([np.flatnonzero(classes == k)[:count] for k, count in enumerate(counts)]))


def test_a_network_from_scratch_beats_chance_by_far(digits: Any) -> None:
    corpus, path, classes, vectors = digits
    task = _task(vectors, classes, _first(classes, 4, 4, 4, 4))
    config = SHORT.model_copy(update={"epochs": 12, "start": "scratch"})
    made = label_pool(PluginChoice(name="fixmatch"), task, corpus, path, config)
    assert (made.argmax(1) == classes).mean() > 0.7


def test_a_pretrained_network_starts_from_the_probe_of_the_labels(digits: Any) -> None:
    corpus, path, classes, vectors = digits
    task = _task(vectors, classes, _first(classes, 2, 2, 2, 2))
    method, _ = semi_supervised._begin(PluginChoice(name="fixmatch"), task, path, SHORT, COUNT - 8)
    head, _ = fit_linear(vectors, task.labeled, task.targets, np.ones(8, np.float32), l2=0.01)
    method.eval()
    with torch.no_grad():
        views = (torch.from_numpy(corpus.samples) / 255 - 0.3) / 0.35
        torch.testing.assert_close(method.logits(views), head(torch.from_numpy(vectors)), rtol=1e-3, atol=1e-3)


def test_from_scratch_no_weight_is_the_pretrained_ones(digits: Any) -> None:
    _, path, classes, vectors = digits
    task = _task(vectors, classes, _first(classes, 2, 2, 2, 2))
    begun = [
        semi_supervised._begin(PluginChoice(name="fixmatch"), task, path, config, COUNT - 8)[0].encoder.stem[0]
        for config in (SHORT, SHORT.model_copy(update={"start": "scratch"}))
    ]
    assert not torch.allclose(begun[0].weight, begun[1].weight)


def test_unlabeled_pictures_come_first_once_each_and_labels_fill_their_share(digits: Any) -> None:
    corpus, _, classes, vectors = digits
    labeled = _first(classes, 3, 3, 3, 3)
    unlabeled = np.setdiff1d(np.arange(COUNT), labeled)
    data = semi_supervised._data(_task(vectors, classes, labeled), corpus, unlabeled, 0.25)
    assert data.weights is not None
    assert data.targets is not None
    known = data.weights > 0
    np.testing.assert_array_equal(data.rows[~known], unlabeled)
    assert not known[: len(unlabeled)].any()
    assert not data.targets[~known].any()
    np.testing.assert_array_equal(data.targets[known].argmax(1), classes[data.rows[known]])
    assert 0.25 <= known.mean() < 0.31


def test_no_method_is_told_the_truth_of_an_unlabeled_picture(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, path, classes, vectors = digits
    seen: list[Corpus] = []
    monkeypatch.setattr(semi_supervised, "train", lambda method, data, config, **_: seen.append(data) or [])
    label_pool(
        PluginChoice(name="noisy_student", students=2), _task(vectors, classes, np.arange(9)), corpus, path, SHORT
    )
    assert len(seen) == 3
    assert all(set(data.rows[data.weights > 0]) == set(range(9)) for data in seen)  # type: ignore[operator]


@pytest.mark.parametrize("name", semi_supervised_networks())
def test_a_class_with_one_label_and_one_with_none_are_no_error(digits: Any, name: str) -> None:
    """And class 4 has no picture at all, while class 3 is in the pool and nobody said so: foreign to the labels."""
    corpus, path, classes, vectors = digits
    labeled = _first(classes, 10, 4, 1, 0)
    task = _task(vectors, classes, labeled, number=5)
    made = label_pool(PluginChoice(name=name), task, corpus, path, SHORT)
    assert made.shape == (COUNT, 5)
    np.testing.assert_allclose(made.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(made[labeled], task.targets)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("name", semi_supervised_networks())
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(digits: Any, name: str) -> None:
    corpus, path, classes, vectors = digits
    task = _task(vectors, classes, _first(classes, 3, 3, 3, 3))
    first, again, other = (
        label_pool(PluginChoice(name=name), replace(task, seed=seed), corpus, path, SHORT) for seed in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_epochs_are_told_through_all_rounds(digits: Any) -> None:
    corpus, path, classes, vectors = digits
    told: list[tuple[int, int]] = []
    task = _task(vectors, classes, _first(classes, 3, 3, 3, 3))
    choice = PluginChoice(name="noisy_student", students=1)
    label_pool(choice, task, corpus, path, SHORT, on_epoch=lambda epoch, of, _: told.append((epoch, of)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_pool_with_a_single_unlabeled_picture_and_one_with_none_are_no_error(digits: Any) -> None:
    corpus, path, classes, vectors = digits
    for labeled in (COUNT - 1, COUNT):
        task = _task(vectors, classes, np.arange(labeled))
        made = label_pool(PluginChoice(name="flexmatch"), task, corpus, path, SHORT.model_copy(update={"epochs": 1}))
        np.testing.assert_array_equal(made[:labeled], task.targets)


def test_settings_of_the_loop_are_all_there_and_defaults_are_checked() -> None:
    assert set(LoopConfig.model_fields) < set(NetworkConfig.model_fields)
    assert {"fixmatch", "flexmatch", "mean_teacher", "mixmatch", "noisy_student", "pi_model", "uda"} <= set(
        plugins.names("semi_supervised")
    )
