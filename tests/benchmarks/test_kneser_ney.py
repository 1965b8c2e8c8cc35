"""Kneser-Ney n-grams: probabilities sum to one, a value by hand, and that order is made use of."""

import math

import numpy as np
import pytest

from benchmarks._kneser_ney import KneserNey

TEXTS = [[0, 1, 2, 0, 1, 3], [0, 1, 2, 4], [1, 2, 0, 1, 2, 2], [3, 3, 0, 4, 4, 1], [0, 2, 1, 0, 1, 2]]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("before", [[], [0], [0, 1], [9], [4, 0, 1], [2, 4, 4, 4], [1, 2, 0, 1, 2, 2]])
def test_probabilities_sum_to_one_after_anything(order: int, before: list[int]) -> None:
    model = KneserNey(TEXTS, order, 11)
    assert math.fsum(model.probability(entry, before) for entry in range(11)) == pytest.approx(1, abs=1e-12)


def test_two_words_by_hand() -> None:
    """Texts `0 1`, `0 2`, `0 1`: too few to estimate discounts by, which are a half each.

    Before 0, 1 and 2 stand one entry each, the beginning included; of two texts in three 1 follows 0. Alone, 1 has
    (1 - .5) / 3 and half of 1 / 4, as three halves of three are left; after 0 it has (2 - .5) / 3 and a third of that.
    """
    model = KneserNey([[0, 1], [0, 2], [0, 1]], 2, 4)
    alone = 0.5 / 3 + 0.5 / 4
    assert KneserNey([[0, 1]] * 3, 1, 4).probability(3, []) == pytest.approx(2 * 0.5 / 6 / 4)
    assert model.probability(1, [0]) == pytest.approx(1.5 / 3 + (1 / 3) * alone)
    assert model.probability(3, [0]) == pytest.approx((1 / 3) * (0 + 0.5 / 4))
    assert model.probability(1, [2]) == pytest.approx(alone)  # nothing ever followed 2


def test_discounts_are_those_of_equation_26() -> None:
    """Of seven sequences three are met once, two twice, one three times and one four times: Y is 3 / 7."""
    texts = [[number] for number, times in enumerate([1, 1, 1, 2, 2, 3, 4]) for _ in range(times)]
    share, total = 3 / 7, 14
    off = [1 - 2 * share * 2 / 3, 2 - 3 * share * 1 / 2, 3 - 4 * share * 1 / 1]
    left = (3 * off[0] + 2 * off[1] + 2 * off[2]) / total
    model = KneserNey(texts, 1, 9)
    for entry, rest in ((0, 1 - off[0]), (3, 2 - off[1]), (5, 3 - off[2]), (6, 4 - off[2]), (8, 0.0)):
        assert model.probability(entry, []) == pytest.approx(rest / total + left / 9)


def test_longer_sequences_foretell_what_has_an_order() -> None:
    draw = np.random.default_rng(0)
    texts = [[(start + step) % 8 for step in range(9)] for start in draw.integers(0, 8, 60).tolist()]
    alone, pairs = (KneserNey(texts[:40], order, 8).surprise(texts[40:]) / (20 * 9) for order in (1, 2))
    assert alone == pytest.approx(math.log(8), abs=0.05)
    assert pairs < 0.4 * alone
