"""What rules say is weighed and counted, and held against labels; a second opinion counts by what it is worth."""

from pathlib import Path

import numpy as np
import pytest

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.datasets.rules import Rule
from components.judging.calibration import fit_temperature
from components.judging.rule_votes import search_by_rules, weigh_rules
from components.judging.two_opinions import two_opinions
from components.modalities.image import Image

RULES = [
    Rule("keyword", name, label, name, line) for line, (name, label) in enumerate(zip("pqrs", "abab", strict=True), 2)
]
MATCHES = [np.array(rows, np.int64) for rows in ([0, 1, 2], [2, 3], [2, 5], [])]


def test_figures_are_counted_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    known = {0: 0, 2: 1, 4: 0}
    found = weigh_rules(PluginChoice(name="majority_vote"), RULES, MATCHES, ["a", "b"], known, 10)
    assert found.places.tolist() == [0, 1, 2, 3, 5]
    assert np.allclose(found.distributions, [[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.05, 0.95], [0.95, 0.05]])
    table = found.table.set_index("rule")
    assert table["matches"].tolist() == [3, 2, 2, 0]
    assert table["shared"].tolist() == [1, 1, 1, 0]
    assert table["conflicts"].tolist() == [1, 1, 1, 0]
    assert table["labeled"].tolist() == [2, 1, 1, 0]
    assert table["right"].tolist() == [1, 1, 0, 0]
    assert found.figures == {
        "rules": 4,
        "rules_unmatched": 1,
        "rule_coverage": 0.5,
        "rule_conflicts": 0.2,
        "rule_accuracy": 0.5,
    }
    assert "1 rule matches no training sample: line 5 ('s')" in capsys.readouterr().err


def test_without_rules_nothing_is_said_or_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = weigh_rules(PluginChoice(name="data_programming"), [], [], ["a", "b"], {0: 1}, 10)
    assert found.distributions.shape == (0, 2)
    assert found.figures == {}
    assert not capsys.readouterr().err


def test_pictures_cannot_be_searched_and_no_rules_need_no_search() -> None:
    pictures, rows = np.zeros((2, 1, 8, 8), np.uint8), np.arange(2)
    kind = Image(Image.Config(image_size=8, channels=1))
    assert search_by_rules([], Path("rules.csv"), kind, pictures, rows, 1) == []
    with pytest.raises(WinnowError, match=r"rules\.csv holds rules, which look for words, and pictures have none"):
        search_by_rules(RULES, Path("rules.csv"), kind, pictures, rows, 1)


def test_two_opinions_are_multiplied_and_one_without_content_changes_nothing() -> None:
    one = np.array([[0.8, 0.2], [0.6, 0.4]], np.float32)
    both = two_opinions(one, np.array([[0.8, 0.2], [0.1, 0.9]], np.float32), (1.0, 1.0))
    assert np.allclose(both, [[16 / 17, 1 / 17], [6 / 42, 36 / 42]])
    assert np.allclose(two_opinions(one, np.full((2, 2), 0.5, np.float32), (1.0, 1.0)), one)


def test_rules_that_labels_contradict_count_next_to_nothing() -> None:
    draw = np.random.default_rng(0)
    truth = np.eye(2, dtype=np.float32)[draw.integers(0, 2, 200)]
    noise = np.eye(2, dtype=np.float32)[draw.integers(0, 2, 200)] * 0.9 + 0.05
    good = truth * 0.6 + 0.2
    both = two_opinions(good, noise, (1.0, fit_temperature(noise, truth)))
    assert (both.argmax(1) == truth.argmax(1)).mean() > 0.95
