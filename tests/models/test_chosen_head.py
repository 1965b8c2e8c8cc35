"""A head whose strength and scaling held-out examples choose: what they choose, and that it is the head solved so."""

import numpy as np
import torch

from components.core.seeds import numpy_generator
from components.models.chosen_head import STRENGTHS, USUAL, fit_chosen
from components.models.linear_head import fit_linear


def _examples(noise: float, count: int = 40, columns: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors whose first column tells two classes apart, up to noise; rows, targets."""
    draw = numpy_generator(0, "examples")
    classes = np.arange(count) % 2
    vectors = draw.standard_normal((count, columns))
    vectors[:, 0] = 2 * classes - 1 + noise * vectors[:, 0]
    return vectors.astype(np.float32), np.arange(count), np.eye(2, dtype=np.float32)[classes]


def test_the_head_is_the_one_solved_with_what_was_chosen() -> None:
    vectors, rows, targets = _examples(1.0)
    weights = np.ones(len(rows), np.float32)
    chosen = fit_chosen(vectors, rows, targets, weights)
    assert chosen.l2 in STRENGTHS
    if chosen.scaling == "each":
        head, loss = fit_linear(vectors, rows, targets, weights, l2=chosen.l2)
        torch.testing.assert_close(chosen.head.weight, head.weight, rtol=1e-3, atol=1e-4)
        assert abs(chosen.loss - loss) < 1e-4


def test_noisy_examples_want_a_stronger_penalty_than_clean_ones() -> None:
    strengths = []
    for noise in (0.01, 3.0):
        vectors, rows, targets = _examples(noise)
        strengths.append(fit_chosen(vectors, rows, targets, np.ones(len(rows), np.float32)).l2)
    assert strengths[0] < strengths[1]


def test_a_column_that_tells_nothing_but_is_large_decides_how_columns_are_scaled() -> None:
    vectors, rows, targets = _examples(0.3)
    vectors[:, 1] *= 1000
    assert fit_chosen(vectors, rows, targets, np.ones(len(rows), np.float32)).scaling == "each"


def test_fewer_examples_than_columns_are_solved_as_all_columns_would_be() -> None:
    vectors, rows, targets = _examples(0.5, count=12, columns=40)
    pool = np.concatenate([vectors, vectors[::-1]])
    chosen = fit_chosen(pool, rows, targets, np.ones(len(rows), np.float32))
    assert chosen.head.weight.shape == (2, 40)
    with torch.no_grad():
        said = chosen.head(torch.from_numpy(vectors)).argmax(1).numpy()
    assert (said == targets.argmax(1)).all()


def test_where_none_can_be_held_out_the_usual_strength_stays() -> None:
    vectors, rows, targets = _examples(0.5)
    chosen = fit_chosen(vectors, rows[:2], targets[:2], np.ones(2, np.float32))
    assert (chosen.scaling, chosen.l2) == USUAL


def test_balanced_classes_weigh_the_same_whatever_their_number() -> None:
    draw = numpy_generator(0, "skewed")
    classes = np.array([0] * 45 + [1] * 5)
    vectors = (np.eye(2, 4)[classes] + 0.8 * draw.standard_normal((50, 4))).astype(np.float32)
    asked = (np.eye(2, 4)[np.arange(400) % 2] + 0.8 * draw.standard_normal((400, 4))).astype(np.float32)
    right = {}
    for balanced in (False, True):
        head = fit_chosen(
            vectors, np.arange(50), np.eye(2, dtype=np.float32)[classes], np.ones(50, np.float32), balanced=balanced
        ).head
        with torch.no_grad():
            right[balanced] = (head(torch.from_numpy(asked)).argmax(1).numpy() == np.arange(400) % 2).mean()
    assert right[True] > right[False] + 0.05


def test_where_classes_have_as_many_labels_balance_changes_nothing() -> None:
    vectors, rows, targets = _examples(1.0)
    plain, even = (
        fit_chosen(vectors, rows, targets, np.ones(len(rows), np.float32), balanced=one) for one in (False, True)
    )
    torch.testing.assert_close(plain.head.weight, even.head.weight)
