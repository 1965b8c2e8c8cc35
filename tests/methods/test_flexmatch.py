"""FlexMatch's thresholds by hand, what it remembers, and where it is FixMatch."""

from dataclasses import replace

import pytest
import torch
from mixed import CLASSES, LABELED, ROWS, batch, network

from components.methods.semi_supervised.flexmatch import FlexMatch, class_thresholds


def test_thresholds_have_the_values_by_hand() -> None:
    learned = torch.tensor([0, 0, 0, 0, 1, 1, -1])  # beta 1, 1/2, 0
    assert class_thresholds(learned, 3, 0.9).tolist() == pytest.approx([0.9, 0.9 * 0.5 / 1.5, 0.0])


def test_while_most_pictures_are_in_doubt_they_keep_all_thresholds_low() -> None:
    learned = torch.tensor([0, 1, -1, -1, -1, -1])  # beta 1/4, 1/4, 0
    assert class_thresholds(learned, 3, 0.7).tolist() == pytest.approx([0.1, 0.1, 0.0])


def test_equally_learned_classes_have_the_threshold_of_fixmatch() -> None:
    assert class_thresholds(torch.arange(9) % 3, 3, 0.95).tolist() == pytest.approx([0.95] * 3)


def test_before_anything_is_learned_every_guess_counts() -> None:
    method = network("flexmatch")
    output = method.training_step(batch(method))
    assert output.metrics["confident"] == 1
    fixed = network("fixmatch", threshold=0.0)
    assert output.loss.item() == pytest.approx(fixed.training_step(batch(fixed)).loss.item())


def test_with_equal_learning_status_the_loss_is_fixmatchs() -> None:
    threshold = 0.34
    method, fixed = network("flexmatch", threshold=threshold), network("fixmatch", threshold=threshold)
    assert isinstance(method, FlexMatch)
    method.learned = torch.cat([torch.arange(CLASSES).repeat(5), torch.tensor([-1])])
    method.unlabeled, given = 3 * 5, batch(method)
    assert method.training_step(given).loss.item() == pytest.approx(fixed.training_step(given).loss.item())


def test_confident_guesses_are_remembered_by_key_and_labeled_pictures_are_not() -> None:
    method = network("flexmatch", threshold=0.0)
    assert isinstance(method, FlexMatch)
    given = batch(method)
    classes = method.logits(given.views[0]).argmax(1)
    keys = torch.tensor([4, 2, 0, 1, 3, 90, 91, 92])
    method.training_step(replace(given, keys=keys))
    assert torch.equal(method.learned[keys[: ROWS - LABELED]], classes[: ROWS - LABELED])


def test_a_guess_in_doubt_leaves_what_was_remembered() -> None:
    method = network("flexmatch", threshold=1.0)
    assert isinstance(method, FlexMatch)
    method.learned[:-1] = 2
    method.training_step(batch(method))
    assert (method.learned[:-1] == 2).all()
