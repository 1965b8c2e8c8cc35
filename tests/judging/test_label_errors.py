"""Label errors: most of the flipped ones are found, few of the right ones suspected, by models that never saw them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.datasets import load_digits

from components.datasets.folds import assign_folds
from components.datasets.labels import Labels
from components.judging.label_errors import find_suspects

COUNT, SHARE = 300, 0.1
CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _labels(places: npt.NDArray[np.int64], given: npt.NDArray[np.int64], folds: int = 5) -> Labels:
    names = [f"{place:04d}" for place in places]
    numbers = assign_folds(given, names, folds=folds, seed=0)
    return Labels(names, np.eye(10, dtype=np.float32)[given], ["given"] * len(places), numbers, CLASSES)


def _flipped(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64], set[int]]:
    """Digits as vectors, the labeled rows, their labels of which a share is flipped, and which are."""
    pictures, digits = load_digits(return_X_y=True)
    generator = np.random.default_rng(seed)
    places = np.sort(generator.permutation(len(digits))[:COUNT])
    given = digits[places].astype(np.int64)
    wrong = generator.permutation(COUNT)[: int(SHARE * COUNT)]
    given[wrong] = (given[wrong] + generator.integers(1, 10, len(wrong))) % 10
    return pictures.astype(np.float32), places, given, set(wrong.tolist())


def test_most_flipped_labels_are_found_and_most_suspects_are_flipped() -> None:
    vectors, places, given, wrong = _flipped(0)
    found = find_suspects(vectors, places, _labels(places, given))
    hits = [suspect for suspect in found if suspect.row in wrong]
    assert len(hits) >= 0.6 * len(wrong)
    assert len(hits) >= 0.5 * len(found)
    assert all(suspect.given == given[suspect.row] != suspect.said for suspect in found)


def test_the_worst_come_first() -> None:
    vectors, places, given, _ = _flipped(0)
    found = find_suspects(vectors, places, _labels(places, given))
    doubts = [suspect.given_probability for suspect in found]
    assert doubts == sorted(doubts)


def test_what_a_label_is_judged_by_never_saw_it() -> None:
    vectors, places, given, _ = _flipped(0)
    labels = _labels(places, given)
    first = find_suspects(vectors, places, labels)[0]
    other = labels.distributions.copy()
    other[first.row] = np.eye(10)[next(number for number in range(10) if number not in (first.given, first.said))]
    again = find_suspects(vectors, places, Labels(labels.ids, other, labels.sources, labels.folds, CLASSES))
    same = next(suspect for suspect in again if suspect.row == first.row)
    assert (same.said, same.said_probability) == (first.said, first.said_probability)


def test_without_enough_labels_to_hold_out_nobody_is_accused() -> None:
    vectors, places, given, _ = _flipped(0)
    assert find_suspects(vectors, places, _labels(places, given, folds=0)) == []
    assert find_suspects(vectors, places[:40], _labels(places[:40], given[:40])) == []
