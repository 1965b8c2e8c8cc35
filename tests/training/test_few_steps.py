"""Steps decide, not epochs: few of them are said, with what would make more."""

import pytest

from components.training.few_steps import FEW, few_steps
from components.training.loop import LoopConfig


def test_thirty_steps_are_too_few_and_the_sentence_says_how_many_epochs_would_do() -> None:
    said = few_steps(LoopConfig(epochs=10, batch_size=100), 350)
    assert said == (
        "10 epochs of 3 steps are 30 steps in all, too few to learn much: 34 epochs, or a smaller batch_size, make 100."
    )


@pytest.mark.parametrize(("epochs", "rows"), [(0, 10), (FEW, 10), (10, 1000)])
def test_no_training_and_enough_of_it_are_not_told(epochs: int, rows: int) -> None:
    assert not few_steps(LoopConfig(epochs=epochs, batch_size=100), rows)
