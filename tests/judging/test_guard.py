"""The guard: when pseudo-labels ship, and when they do not."""

import numpy as np
import pytest

from components.judging.guard import Answers, judge, nothing_to_judge

NOTHING = Answers(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


def _answers(candidate: int, control: int, of: int) -> Answers:
    """The candidate right on the first so many, the control on the last."""
    expected, places = np.zeros(of, np.int64), np.arange(of)
    return Answers(np.where(places < candidate, 0, 1), np.where(places >= of - control, 0, 2), expected)


def test_a_clear_difference_in_held_out_labels_decides_whatever_neighbors_say() -> None:
    better = judge(_answers(38, 20, 40), _answers(0, 50, 50))
    assert (better.shipped, better.evidence) == ("pseudo_labels", "held_out_labels")
    assert (better.held_out, better.candidate_right, better.control_right) == (40, 38, 20)
    assert (
        better.why == "Pseudo-labels ship: 38 of 40 held-out labels right with pseudo-labels and 20 with labels alone."
    )
    assert judge(_answers(20, 38, 40), _answers(50, 0, 50)).shipped == "control"


def test_where_held_out_labels_could_be_chance_neighbors_decide() -> None:
    verdict = judge(_answers(37, 39, 40), _answers(35, 1, 40))
    assert (verdict.shipped, verdict.evidence) == ("pseudo_labels", "neighbors")
    assert (verdict.disputed, verdict.candidate_confirmed, verdict.control_confirmed) == (40, 35, 1)
    assert verdict.why == (
        "Pseudo-labels ship: 37 of 40 held-out labels right with pseudo-labels and 39 with labels alone, which could "
        "be chance; of 40 samples that the two name differently, labels spread over nearest neighbors confirm 35 by "
        "the former and 1 by the latter."
    )
    assert judge(_answers(39, 37, 40), _answers(1, 35, 40)).shipped == "control"


def test_labels_and_neighbors_may_be_clear_together() -> None:
    labels, pictures = _answers(19, 14, 20), _answers(20, 11, 36)
    assert not labels.clear()
    assert not pictures.clear()
    assert judge(labels, pictures).shipped == "pseudo_labels"


@pytest.mark.parametrize(("candidate", "control"), [(95, 82), (20, 12), (0, 0)])
def test_where_nothing_is_clear_the_control_ships(candidate: int, control: int) -> None:
    verdict = judge(_answers(39, 38, 40), _answers(candidate, control, 200))
    assert (verdict.shipped, verdict.evidence) == ("control", "neighbors")
    assert verdict.why.endswith(
        f"confirm {candidate} by the former and {control} by the latter, which could be chance, too."
    )


def test_a_higher_level_lets_out_what_could_be_chance_and_not_what_is_clearly_worse() -> None:
    labels, pictures = _answers(39, 38, 40), _answers(20, 12, 40)
    assert judge(labels, pictures).shipped == "control"
    lax = judge(labels, pictures, level=0.3)
    assert lax.shipped == "pseudo_labels"
    assert lax.why.endswith("confirm 20 by the former and 12 by the latter.")
    assert judge(labels, _answers(12, 20, 40), level=0.3).shipped == "control"


def test_neighbors_by_simple_features_are_a_third_opinion_where_that_is_set() -> None:
    labels, pictures, plain = _answers(39, 38, 40), _answers(60, 45, 110), _answers(60, 25, 110)
    kept = judge(labels, pictures, plain)
    assert (kept.shipped, kept.candidate_plain, kept.control_plain) == ("control", 60, 25)
    assert "simple features" not in kept.why
    verdict = judge(labels, pictures, plain, third=True)
    assert verdict.shipped == "pseudo_labels"
    assert verdict.why.endswith("and 45 by the latter, neighbors by simple features 60 and 25.")
    assert judge(labels, plain, _answers(25, 60, 110), third=True).shipped == "control"


def test_without_held_out_labels_neighbors_decide() -> None:
    verdict = judge(NOTHING, _answers(60, 20, 90))
    assert (verdict.shipped, verdict.held_out) == ("pseudo_labels", 0)
    assert "no label could be held out" in verdict.why
    assert judge(NOTHING, _answers(20, 60, 90)).shipped == "control"


def test_pictures_on_which_the_models_agree_count_for_nothing() -> None:
    same = np.zeros(1000, np.int64)
    disputed = _answers(30, 5, 40)
    padded = Answers(*(np.concatenate([same, part]) for part in vars(disputed).values()))
    assert judge(NOTHING, padded) == judge(NOTHING, disputed)


def test_without_pseudo_labels_the_control_ships() -> None:
    assert (nothing_to_judge().shipped, nothing_to_judge().evidence) == ("control", "none")
