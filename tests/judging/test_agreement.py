"""Agreement beyond chance: a value by hand, the limits, and what people say when asked again."""

import numpy as np
import pandas as pd
import pytest

from components.datasets.ledger import append, read_ledger
from components.judging.agreement import cohens_kappa, kappas, with_repeats
from components.methods.label_models import Votes


def _votes(*rows: tuple[int, int, int], classes: int = 2) -> Votes:
    items, annotators, said = np.array(rows, np.int64).reshape(-1, 3).T
    return Votes(items, annotators, said, (60, 3, classes))


def test_two_people_agree_as_cohens_formula_says() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: agreement 0.7, by chance 0.5, kappa 0.4."""
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    votes = _votes(*((n, who, pair[who]) for n, pair in enumerate(pairs) for who in (0, 1)))
    assert cohens_kappa(0.7, np.array([0.5, 0.5]), np.array([0.4, 0.6])) == pytest.approx(0.4)
    np.testing.assert_allclose(kappas(votes)[:2], 0.4)
    assert np.isnan(kappas(votes)[2])


def test_agreement_is_1_where_all_say_the_same_0_by_chance_and_unknown_where_only_one_class_was_said() -> None:
    same = [(n, who, n % 2) for n in range(20) for who in (0, 1, 2)]
    np.testing.assert_allclose(kappas(_votes(*same)), 1)
    generator = np.random.default_rng(0)
    chance = [(n, who, int(generator.integers(2))) for n in range(60) for who in (0, 1, 2)]
    assert np.abs(kappas(_votes(*chance))).max() < 0.25
    assert np.isnan(kappas(_votes((0, 0, 1), (0, 1, 1)))[:2]).all()
    assert np.isnan(kappas(_votes((0, 0, 1), (1, 1, 1)))).all()


def test_what_a_person_says_when_asked_again_is_counted_but_for_what_was_undone(tmp_path) -> None:
    path = tmp_path / "ledger.csv"
    said = [
        ("a", "cat", ""),
        ("b", "cat", ""),
        ("c", "cat", ""),
        ("a", "cat", "asked again"),
        ("b", "dog", "asked again"),
        ("c", "dog", "asked again"),
        ("c", "cat", "undone"),
        ("c", "", "cannot tell; asked again"),
    ]
    append(path, [{"id": i, "label": s, "annotator": "ann", "source": "person", "note": n} for i, s, n in said])
    append(path, [{"id": "a", "label": "cat", "annotator": "bob", "source": "person"}])
    table = with_repeats(pd.DataFrame({"annotator": ["ann", "bob"]}), read_ledger(path))
    assert table["again"].tolist() == [3, 0]
    assert table["same"].iloc[0] == pytest.approx(1 / 3)
    assert np.isnan(table["same"].iloc[1])
