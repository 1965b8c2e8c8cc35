"""What each strategy asks about, and what all of them keep to."""

import numpy as np
import pytest
import torch
from pools import NOTHING, ask, blobs, identical, scattered

from components.core.config import PluginChoice
from components.core.plugins import build, names
from components.methods.contracts import Pool
from components.methods.query_strategies.entropy import entropy
from components.methods.query_strategies.least_confidence import confidence
from components.methods.query_strategies.margin import margin
from components.methods.query_strategies.typiclust import typicality

EVERY = names("query_strategy")


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("budget", [0, 1, 7, 108, 500])
def test_queries_are_distinct_unlabeled_candidates(name: str, budget: int) -> None:
    pool = scattered()
    chosen = ask(name, pool, budget)
    assert len(chosen) == len(set(chosen.tolist())) == min(budget, len(pool.candidates))
    assert set(chosen.tolist()) <= set(pool.candidates.tolist())


@pytest.mark.parametrize("name", EVERY)
def test_equal_seeds_ask_equal_questions(name: str) -> None:
    np.testing.assert_array_equal(ask(name, scattered(), 9), ask(name, scattered(), 9))


@pytest.mark.parametrize("name", EVERY)
def test_a_pool_of_identical_samples_is_asked_about_too(name: str) -> None:
    assert len(set(ask(name, identical(), 5).tolist())) == 5


@pytest.mark.parametrize("name", EVERY)
def test_a_person_is_told_why(name: str) -> None:
    strategy = build("query_strategy", PluginChoice(name=name), where="test")
    said = strategy.why.format(guess="cat", confidence=0.4, runner_up="dog", runner_up_confidence=0.3)
    assert said.endswith(".")
    assert "{" not in said


def test_random_asks_about_everything_in_the_end() -> None:
    pool = scattered()
    assert sorted(ask("random", pool, 1000).tolist()) == pool.candidates.tolist()


def test_margin_by_hand() -> None:
    np.testing.assert_allclose(margin(np.array([[0.5, 0.1, 0.4], [0, 1, 0]], np.float32)), [0.1, 1.0], atol=1e-7)


def test_confidence_by_hand() -> None:
    np.testing.assert_array_equal(confidence(np.array([[0.5, 0.125, 0.375], [0, 1, 0]], np.float32)), [0.5, 1.0])


def test_entropy_by_hand() -> None:
    rows = np.array([[0.5, 0.5], [1, 0], [0.25, 0.75]], np.float32)
    expected = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    np.testing.assert_allclose(entropy(rows), [1, 0, expected], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "measure"), [("margin", margin), ("entropy", lambda p: -entropy(p)), ("least_confidence", confidence)]
)
def test_without_oversampling_the_most_uncertain_are_asked(name: str, measure) -> None:  # type: ignore[no-untyped-def]
    pool = scattered()
    assert pool.probabilities is not None
    order = pool.candidates[np.argsort(measure(pool.probabilities[pool.candidates]), kind="stable")]
    np.testing.assert_array_equal(ask(name, pool, 6, oversampling=1, power=None), order[:6])


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence"])
def test_uncertain_look_alikes_are_asked_about_once(name: str) -> None:
    vectors = blobs((50, 50, 50))
    probabilities = np.tile(np.array([[0.9, 0.1]], np.float32), (150, 1))
    probabilities[:50] = 0.5  # one group is far more uncertain than the rest
    pool = Pool(vectors, NOTHING, np.arange(150), probabilities)
    assert set(ask(name, pool, 3, oversampling=50) // 50) == {0, 1, 2}
    assert set(ask(name, pool, 3, oversampling=1, power=None) // 50) == {0}


def test_core_set_takes_the_farthest_each_time() -> None:
    pool = scattered(200)
    unit = pool.vectors / np.linalg.norm(pool.vectors, axis=1, keepdims=True)
    covered = [*pool.labeled]
    for chosen in ask("core_set", pool, 25).tolist():
        distance = 1 - (unit[pool.candidates] @ unit[covered].T).max(1)
        assert distance[pool.candidates == chosen] == pytest.approx(distance.max(), abs=1e-5)
        covered.append(chosen)


def test_core_set_begins_in_the_middle_when_nothing_is_labeled() -> None:
    vectors = blobs((40, 3, 3))
    assert ask("core_set", Pool(vectors, NOTHING, np.arange(46)), 1)[0] < 40


@pytest.mark.parametrize("name", ["typiclust", "k_medoids"])
def test_each_group_is_asked_about_the_largest_first(name: str) -> None:
    groups = np.repeat([0, 1, 2, 3], [15, 60, 30, 20])
    chosen = ask(name, Pool(blobs((15, 60, 30, 20)), NOTHING, np.arange(125)), 4)
    assert groups[chosen].tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize("name", ["typiclust", "k_medoids", "core_set"])
def test_a_group_with_a_label_is_not_asked_about_again(name: str) -> None:
    labeled = np.array([3, 70])  # one of the first group, one of the second
    pool = Pool(blobs((60, 40, 30, 20)), labeled, np.setdiff1d(np.arange(150), labeled))
    groups = np.repeat([0, 1, 2, 3], [60, 40, 30, 20])
    assert set(groups[ask(name, pool, 2)]) == {2, 3}


def test_k_medoids_are_as_close_to_the_pool_as_a_search_over_all_pairs() -> None:
    vectors = np.random.default_rng(2).normal(size=(24, 3)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = np.sqrt(np.maximum(2 - 2 * unit @ unit.T, 0))
    best = min(distance[:, [a, b]].min(1).sum() for a in range(24) for b in range(a))
    chosen = ask("k_medoids", Pool(vectors, NOTHING, np.arange(24)), 2)
    assert distance[:, chosen].min(1).sum() <= 1.03 * best


def test_typicality_is_the_inverse_mean_distance_to_the_nearest() -> None:
    points = torch.nn.functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    distances = np.sort(torch.cdist(points, points).numpy(), axis=1)[:, 1:4]
    np.testing.assert_allclose(typicality(points, 3), 1 / distances.mean(1), rtol=1e-3)


def test_typiclust_asks_about_the_most_typical_of_a_group() -> None:
    vectors = blobs((80,) * 2)
    points = torch.nn.functional.normalize(torch.as_tensor(vectors), dim=1)
    chosen = ask("typiclust", Pool(vectors, NOTHING, np.arange(160)), 2)
    best = {int(typicality(points[:80], 20).argmax()), 80 + int(typicality(points[80:], 20).argmax())}
    assert set(chosen.tolist()) == best
