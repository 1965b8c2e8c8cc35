"""BALD asks where draws of the model disagree, and not where each of them doubts."""

import numpy as np
from pools import NOTHING, ask

from components.methods.contracts import Pool
from components.methods.query_strategies.bald import mutual_information

SURE, OTHER, HALF = [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]


def test_mutual_information_by_hand() -> None:
    draws = np.array([[SURE, HALF, SURE, [0.75, 0.25]], [OTHER, HALF, SURE, [0.25, 0.75]]], np.float32)
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    np.testing.assert_allclose(mutual_information(draws), [1, 0, 0, 1 - entropy], atol=1e-6)


def test_draws_may_come_in_any_order_and_lie_between_0_and_1() -> None:
    draws = np.random.default_rng(0).dirichlet(np.full(5, 0.3), (7, 9000)).astype(np.float32)
    found = mutual_information(draws)
    np.testing.assert_allclose(mutual_information(draws[[3, 1, 6, 0, 2, 5, 4]]), found, atol=1e-6)
    assert 0 <= found.min() < 0.2 < found.max() <= 1


def test_a_doubt_that_all_draws_share_is_not_asked_about() -> None:
    draws = np.tile(np.array([HALF], np.float32), (2, 30, 1))
    draws[0, 10:13], draws[1, 10:13] = SURE, OTHER
    vectors = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    pool = Pool(vectors, NOTHING, np.arange(30), draws.mean(0), None, draws)
    assert set(ask("bald", pool, 3, oversampling=1, power=None).tolist()) == {10, 11, 12}
