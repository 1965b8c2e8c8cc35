"""BADGE never forms its gradients, and still draws as k-means++ on them would."""

import numpy as np
import pytest
import torch
from pools import NOTHING, ask, scattered
from scipy.stats import chisquare
from sklearn.cluster import kmeans_plusplus

from components.methods.contracts import Floats, Pool
from components.methods.query_strategies.badge import Gradients, seeds


def _formed(probabilities: Floats, features: Floats) -> Floats:
    """`(M, K * F)`: the gradients as the paper writes them down."""
    residuals = probabilities - np.eye(probabilities.shape[1])[probabilities.argmax(1)]
    return (residuals[:, :, None] * features[:, None]).reshape(len(features), -1).astype(np.float32)


def _drawn(count: int = 40, classes: int = 3, features: int = 4) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(classes), count)
    return probabilities.astype(np.float32), generator.normal(size=(count, features)).astype(np.float32)


def test_a_gradient_is_that_of_the_cross_entropy_to_the_guess() -> None:
    features, head = torch.randn(1, 4), torch.nn.Linear(4, 3, bias=False)
    logits = head(features)
    torch.nn.functional.cross_entropy(logits, logits.argmax(1)).backward()
    formed = _formed(logits.softmax(1).detach().numpy(), features.numpy())
    assert head.weight.grad is not None
    np.testing.assert_allclose(head.weight.grad.flatten().numpy(), formed[0], rtol=1e-5, atol=1e-7)


def test_distances_are_those_of_the_formed_gradients() -> None:
    probabilities, features = _drawn()
    formed = torch.as_tensor(_formed(probabilities, features))
    expected = torch.cdist(formed[5:20], formed[[0, 30, 31]]).square().min(1).values
    found = Gradients(probabilities, features).distances(slice(5, 20), [0, 30, 31])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_first_question_has_the_largest_gradient() -> None:
    probabilities, features = _drawn()
    largest = int(np.linalg.norm(_formed(probabilities, features), axis=1).argmax())
    assert ask("badge", Pool(features, NOTHING, np.arange(40), probabilities, features), 1)[0] == largest


@pytest.mark.parametrize("place", [1, 2, 5])
def test_each_seed_is_drawn_by_squared_distance_though_bounds_are_stale(place: int) -> None:
    """Of many draws that agree on all seeds before: counts against the distribution by the formula."""
    probabilities, features = _drawn(8)
    gradients, formed = Gradients(probabilities, features), _formed(probabilities, features)
    expected, found = np.zeros(8), np.zeros(8)
    for seed in range(3000):
        chosen = seeds(gradients, place + 1, torch.Generator().manual_seed(seed))
        before = formed[chosen[:place]]
        squares = ((formed[:, None] - before[None]) ** 2).sum(2).min(1)
        expected += squares / squares.sum()
        found[chosen[place]] += 1
    assert chisquare(found[expected > 5], expected[expected > 5] * found.sum() / expected.sum()).pvalue > 0.001


def test_many_seeds_spread_as_well_as_those_of_scikit_learn() -> None:
    probabilities, features = _drawn(600, 4, 6)
    gradients, formed = Gradients(probabilities, features), _formed(probabilities, features)

    def cost(chosen: list[int]) -> float:
        return float(gradients.distances(slice(None), chosen).sum())

    ours = [cost(seeds(gradients, 150, torch.Generator().manual_seed(seed))) for seed in range(10)]
    theirs = [cost(kmeans_plusplus(formed, 150, random_state=seed, n_local_trials=1)[1].tolist()) for seed in range(10)]
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.05)


def test_confident_samples_without_gradient_come_last() -> None:
    pool = scattered()
    assert pool.probabilities is not None
    sure = pool.candidates[::2]
    pool.probabilities[sure] = np.eye(4, dtype=np.float32)[0]
    chosen = ask("badge", pool, len(pool.candidates) - len(sure) + 1).tolist()
    assert len(set(chosen) & set(sure.tolist())) == 1
