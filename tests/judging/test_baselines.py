"""What an accuracy has to beat: answers from labels alone, what is gained over them, and what is said."""

import numpy as np
import pytest

from components.judging import baselines
from components.modalities import Modality
from components.modalities.image import Image

HOW = baselines.Drawn(resamples=500, seed=0, confidence=0.95)


def _pictures() -> tuple[np.ndarray, np.ndarray]:
    """Bright on the left or on the right, as often; the second class is the more frequent one of the labels."""
    pictures = np.random.default_rng(0).integers(0, 60, (60, 1, 16, 16)).astype(np.uint8)
    classes = np.arange(60) % 2
    for row, number in enumerate(classes):
        pictures[row, 0, :, 8 * number : 8 * number + 8] += np.uint8(150)
    return pictures, classes


def test_pixels_tell_where_and_a_histogram_does_not() -> None:
    pictures, classes = _pictures()
    known, asked = np.arange(1, 20), np.arange(20, 60)
    answers = baselines.simple_answers(
        Image(Image.Config(image_size=16)), pictures, known, np.eye(2, dtype=np.float32)[classes[known]], asked
    )
    assert (answers["small pixels"] == classes[asked]).all()
    assert (answers["gray histogram"] == classes[asked]).mean() < 0.8
    assert (answers[baselines.MAJORITY] == 1).all()


def test_a_kind_of_data_without_simple_features_has_the_most_frequent_class_alone() -> None:
    class Bare(Image):
        simple_features = Modality.simple_features

    pictures, classes = _pictures()
    targets = np.eye(2, dtype=np.float32)[classes[:9]]
    bare = Bare(Image.Config(image_size=16))
    assert list(baselines.simple_answers(bare, pictures, np.arange(9), targets, np.arange(9, 60))) == [
        baselines.MAJORITY
    ]


def test_features_come_in_blocks_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, _ = _pictures()
    kind, rows = Image(Image.Config(image_size=16)), np.array([5, 3, 40, 8, 9])
    whole = baselines.simple_features(kind, pictures, rows)
    monkeypatch.setattr(baselines, "BLOCK", 2)
    for name, found in baselines.simple_features(kind, pictures, rows).items():
        assert np.array_equal(found, whole[name])
    assert whole["small pixels"] == pytest.approx(pictures[rows].reshape(5, -1) / 255)


def test_a_sentence_comes_only_where_the_model_is_not_clearly_better() -> None:
    actual = np.arange(100) % 4
    weak = {baselines.MAJORITY: np.zeros(100, np.int64), "colors": np.where(np.arange(100) < 50, actual, 0)}
    better = baselines.beside(actual, weak, actual, 4, HOW)
    assert better["why"] == ""
    assert better["chance"] == 0.25
    row = better["rows"]["logistic regression on colors"]
    assert row["gain"] == pytest.approx(1 - row["accuracy"])
    same = baselines.beside(weak["colors"], weak, actual, 4, HOW)["why"]
    assert same.startswith("This model is not better beyond chance than logistic regression on colors")
    assert "difference +0.0000" in same
    worse = baselines.beside(np.zeros(100, np.int64), weak, actual, 4, HOW)["why"]
    assert worse.startswith("This model is worse than logistic regression on colors")
