"""Prototypes: the logits by their formula, scikit-learn's nearest centroid, one label a class, none at all."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from components.methods.adaptation.prototypes import USUAL, Prototypes, _scale
from components.methods.contracts import Floats, Positions
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given

GENERATOR = np.random.default_rng(0)
POOL = GENERATOR.normal(size=(60, 32)).astype(np.float32) * np.linspace(0.1, 3, 32, dtype=np.float32) + 1
ROWS = np.arange(20)
TARGETS = np.eye(3, dtype=np.float32)[POOL[:20, 20:23].argmax(axis=1)]
ONES = np.ones(20, np.float32)


def _fitted(rows: Positions = ROWS, targets: Floats = TARGETS, weights: Floats = ONES) -> Prototypes:
    method = Prototypes(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), targets.shape[1], Prototypes.Config())
    method.fit_head(POOL, rows, targets, weights)
    return method


def _standardized(pool: Floats) -> Floats:
    scaled: Floats = (pool - pool.mean(0)) / (pool.std(0) * np.sqrt(pool.shape[1]))
    return scaled


def _probabilities(method: Prototypes) -> np.ndarray:
    with torch.no_grad():
        return method.head(torch.from_numpy(POOL)).softmax(1).numpy()


def test_probabilities_are_the_softmax_of_negative_squared_distances() -> None:
    weights = GENERATOR.random(20).astype(np.float32)
    method, columns = _fitted(weights=weights), _standardized(POOL)
    means = np.stack([np.average(columns[:20], axis=0, weights=weights * TARGETS[:, k]) for k in range(3)])
    squared = ((columns[:, None] - means) ** 2).sum(2)
    inputs, shares = torch.from_numpy(columns[:20]).double(), torch.from_numpy(weights[:, None] * TARGETS).double()
    scale = _scale(torch.cdist(inputs, torch.from_numpy(means).double()).square(), shares)
    expected = torch.from_numpy(-scale * squared).softmax(1).numpy()
    np.testing.assert_allclose(_probabilities(method), expected, rtol=1e-3, atol=1e-5)


def test_it_says_what_a_nearest_centroid_says() -> None:
    columns = _standardized(POOL)
    reference = NearestCentroid().fit(columns[:20], TARGETS.argmax(1)).predict(columns)
    np.testing.assert_array_equal(_probabilities(_fitted()).argmax(1), reference)


def test_one_label_a_class_gives_the_class_of_the_nearest_example_at_the_usual_scale() -> None:
    columns, eye = _standardized(POOL), np.eye(3, dtype=np.float32)
    squared = ((columns[:, None] - columns[:3]) ** 2).sum(2)
    said = _probabilities(_fitted(np.arange(3), eye, np.ones(3, np.float32)))
    np.testing.assert_allclose(said, torch.from_numpy(-USUAL * squared).softmax(1).numpy(), rtol=1e-3, atol=1e-5)


def test_an_example_is_taken_out_of_the_mean_it_is_compared_with() -> None:
    inputs = torch.tensor([[0.0], [1.0], [5.0]], dtype=torch.float64)
    whole = torch.cdist(inputs, inputs.mean(0, keepdim=True)).square()
    shares = torch.ones(3, 1, dtype=torch.float64)
    grown = whole * (3 / (3 - shares)) ** 2
    left_out = torch.stack([(inputs[i] - inputs[[j for j in range(3) if j != i]].mean(0)) ** 2 for i in range(3)])
    torch.testing.assert_close(grown, left_out)


def test_mistaken_examples_make_it_less_confident() -> None:
    shares = torch.eye(2, dtype=torch.float64).repeat(10, 1)
    right = torch.where(shares > 0, 0.5, 1.5)
    mistaken = torch.cat([right[:14], 2 - right[14:]])
    assert _scale(mistaken, shares) < USUAL < _scale(right, shares)


def test_a_class_without_a_label_is_nobodys_nearest_but_possible() -> None:
    targets = np.concatenate([TARGETS, np.zeros((20, 1), np.float32)], axis=1)
    said = _probabilities(_fitted(targets=targets))
    assert (said.argmax(1) != 3).all()
    assert (said[:, 3] > 0).all()


def test_scaling_a_column_of_the_vectors_changes_nothing() -> None:
    method = _fitted()
    before = _probabilities(method)
    wider = POOL * np.linspace(5, 1, 32, dtype=np.float32)
    method.fit_head(wider, ROWS, TARGETS, ONES)
    with torch.no_grad():
        after = method.head(torch.from_numpy(wider)).softmax(1).numpy()
    np.testing.assert_allclose(before, after, rtol=1e-3, atol=1e-5)


def test_soft_targets_pull_a_mean_by_their_share() -> None:
    targets = np.array([[0.5, 0.5], [0.5, 0.5]], np.float32)
    said = _probabilities(_fitted(np.arange(2), targets, np.ones(2, np.float32)))
    assert said == pytest.approx(0.5, abs=1e-5)
