"""Who gets on the list of doubtful candidates before it is thinned."""

import numpy as np
import pytest
import torch
from pools import ask

from components.methods.contracts import Pool
from components.methods.diverse_batch import shortlisted

DOUBTS = np.array([0.3, 0.0, 0.6, 0.1], np.float32)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_odds_are_the_uncertainty_to_the_power(power: float) -> None:
    generator = torch.Generator().manual_seed(0)
    first = [int(shortlisted(DOUBTS, 1, power, generator)[0]) for _ in range(6000)]
    shares = np.bincount(first, minlength=4) / 6000
    np.testing.assert_allclose(shares, DOUBTS**power / (DOUBTS**power).sum(), atol=0.02)


def test_the_list_falls_and_names_nobody_twice() -> None:
    for power in (None, 0.5, 3.0):
        listed = shortlisted(DOUBTS, 3, power, torch.Generator().manual_seed(1))
        assert len(set(listed.tolist())) == 3
        assert (np.diff(DOUBTS[listed]) <= 0).all()


def test_the_surest_come_last_and_in_no_order() -> None:
    doubts = np.zeros(50, np.float32)
    doubts[[7, 30]] = 0.2
    lists = [shortlisted(doubts, 5, 1.0, torch.Generator().manual_seed(seed)).tolist() for seed in range(2)]
    assert [sorted(listed[:2]) for listed in lists] == [[7, 30]] * 2
    assert lists[0] != lists[1]


@pytest.mark.parametrize("name", ["margin", "entropy", "least_confidence"])
def test_one_crowded_boundary_does_not_get_all_questions(name: str) -> None:
    """100 pictures lie between two classes and 900, far away, are half in doubt: the top alone would leave them out."""
    random = np.random.default_rng(0)
    vectors = np.repeat(np.eye(2, dtype=np.float32), [100, 900], axis=0) + random.normal(0, 0.2, (1000, 2)).astype("f")
    probabilities = np.repeat(np.array([[0.5, 0.5], [0.7, 0.3]], np.float32), [100, 900], axis=0)
    pool = Pool(vectors, np.zeros(0, np.int64), np.arange(1000), probabilities)
    assert (ask(name, pool, 10, power=None) < 100).all()
    assert 0 < (ask(name, pool, 10) >= 100).sum() < 10
