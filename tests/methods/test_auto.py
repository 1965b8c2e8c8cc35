"""Auto asks as one strategy while labels are few and as another later, and says which."""

import dataclasses

import numpy as np
import pytest
from pools import ask, scattered

from components.methods.query_strategies.auto import Auto


@pytest.mark.parametrize(("labels_per_class", "name"), [(3.25, "typiclust"), (3, "margin"), (0, "margin")])
def test_labels_per_class_decide(labels_per_class: float, name: str) -> None:
    pool = scattered()  # 12 labels, 4 classes
    asked = ask("auto", pool, 9, labels_per_class=labels_per_class)
    np.testing.assert_array_equal(asked, ask(name, pool, 9))


def test_the_reason_names_the_strategy_and_the_numbers() -> None:
    strategy, note = Auto(Auto.Config(labels_per_class=3.5)).settle(scattered())
    assert type(strategy).__name__ == "Typiclust"
    assert note == "auto asks by typiclust, for 12 labels of 4 classes are fewer than 3.5 a class."


def test_without_a_model_it_asks_for_typical_samples() -> None:
    pool = dataclasses.replace(scattered(), probabilities=None)
    assert "no model" in Auto(Auto.Config(labels_per_class=0)).settle(pool)[1]
    np.testing.assert_array_equal(ask("auto", pool, 9), ask("typiclust", pool, 9))
