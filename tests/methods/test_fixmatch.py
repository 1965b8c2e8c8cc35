"""FixMatch's loss by hand and by numpy, and where it is supervised learning."""

import numpy as np
import pytest
import torch
from mixed import LABELED, ROWS, batch, network, softmax, supervised

from components.methods.semi_supervised.fixmatch import pseudo_label_losses


def test_a_confident_row_has_the_cross_entropy_by_hand_and_another_none() -> None:
    logits = torch.tensor([[0.0, np.log(3.0)], [5.0, 0.0]])
    guesses = torch.tensor([[0.1, 0.9], [0.4, 0.6]])
    losses = pseudo_label_losses(logits, guesses, torch.tensor([1.0, 0.0]))
    assert losses.tolist() == pytest.approx([np.log(4 / 3), 0.0])


@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0])
def test_the_loss_is_the_papers(threshold: float) -> None:
    method = network("fixmatch", threshold=threshold, weight=0.7)
    given = batch(method)
    weak, strong = (softmax(method.logits(view))[: ROWS - LABELED] for view in given.views)
    counts = weak.max(1) >= threshold
    terms = -np.log(strong[np.arange(len(weak)), weak.argmax(1)])
    expected = supervised(method, given) + 0.7 * (terms * counts).mean()
    output = method.training_step(given)
    assert output.loss.item() == pytest.approx(expected)
    assert float(output.metrics["confident"]) == pytest.approx(counts.mean())


def test_without_a_confident_guess_it_is_supervised_learning() -> None:
    method = network("fixmatch", threshold=1.0)
    given = batch(method)
    assert method.training_step(given).loss.item() == pytest.approx(supervised(method, given))


def test_the_weak_view_of_an_unlabeled_picture_gets_no_gradient_and_the_strong_one_does() -> None:
    method = network("fixmatch", threshold=0.0)
    given = batch(method)
    for view in given.views:
        view.requires_grad_()
    method.training_step(given).loss.backward()
    weak, strong = (view.grad.flatten(1).abs().sum(1) > 0 for view in given.views)
    labeled = torch.arange(ROWS) >= ROWS - LABELED
    assert torch.equal(weak, labeled)
    assert torch.equal(strong, ~labeled)
