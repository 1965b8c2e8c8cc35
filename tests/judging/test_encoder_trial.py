"""Which encoder to take, by what its probes name right of the labels held out."""

import numpy as np

from components.judging.encoder_trial import Known, Probed, choose, interval, most_frequent, paid, probe


def _known(classes: np.ndarray, folds: int = 4) -> Known:
    return Known(np.eye(3, dtype=np.float32)[classes], np.arange(len(classes)) % folds)


def _right(count: int, of: int = 50) -> Probed:
    return Probed(np.arange(of) < count, np.arange(of) < count)


def test_vectors_that_tell_classes_apart_are_told_from_those_that_do_not() -> None:
    classes, generator = np.repeat(np.arange(3), 16), np.random.default_rng(0)
    good = (np.eye(3, 8)[classes] + 0.2 * generator.normal(size=(48, 8))).astype(np.float32)
    noise = generator.normal(size=(48, 8)).astype(np.float32)
    known = _known(classes)
    assert probe(good, known).right > 44 > 30 > probe(noise, known).right
    assert most_frequent(known).right <= 16


def test_a_label_that_is_never_held_out_is_not_counted() -> None:
    known = Known(np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]], np.array([0, 1, 0, 1, -1]))
    vectors = np.eye(3, dtype=np.float32)[[0, 0, 1, 1, 2]]
    assert probe(vectors, known).linear.tolist() == [True] * 4


def test_the_one_that_is_better_beyond_chance_is_taken_whatever_it_costs() -> None:
    said = choose({"small": _right(20), "large": _right(45)}, {"small": 1.0, "large": 9.0}, {})
    assert said == "Take large: 45 of 50 held-out labels right; small 20, worse beyond chance."


def test_of_those_not_apart_the_cheapest_is_taken() -> None:
    said = choose(
        {"small": _right(44), "large": _right(45), "bad": _right(9)}, {"small": 1, "large": 9, "bad": 0.1}, {}
    )
    assert said.startswith("large and small are not apart beyond chance on 50 labels (45 right and 44 right)")
    assert said.endswith("take small, which costs least.")


def test_an_encoder_that_pixels_match_is_told_so() -> None:
    assert "not better beyond chance than pixels" in choose({"a": _right(30)}, {"a": 1}, {"pixels": _right(28)})
    assert "pixels" not in choose({"a": _right(45)}, {"a": 1}, {"pixels": _right(20)})


def test_going_on_pays_makes_it_worse_or_cannot_be_told() -> None:
    assert paid(_right(45), _right(20)) == "paid (+25 of 50 labels)"
    assert paid(_right(20), _right(45)) == "made it worse (-25 of 50 labels)"
    assert paid(_right(45), _right(44)) == "did not pay beyond chance (+1 of 50 labels)"


def test_the_interval_holds_the_share() -> None:
    value, low, high = interval(np.arange(50) < 40, 0)
    assert value == 0.8
    assert 0.65 < low < 0.8 < high < 0.95
