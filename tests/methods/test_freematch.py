"""FreeMatch's thresholds and fairness by hand, what its means follow, and where it is FixMatch."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from mixed import CLASSES, LABELED, ROWS, batch, network, softmax, supervised

from components.methods.semi_supervised.freematch import FreeMatch, class_thresholds, fairness_loss

UNLABELED = slice(0, ROWS - LABELED)


def _freematch(**options: float) -> FreeMatch:
    method = network("freematch", **options)
    assert isinstance(method, FreeMatch)
    return method


def test_thresholds_have_the_values_by_hand() -> None:
    thresholds = class_thresholds(torch.tensor(0.8), torch.tensor([0.5, 0.25, 0.25]))
    assert thresholds.tolist() == pytest.approx([0.8, 0.4, 0.4])


def test_fairness_has_the_value_by_hand() -> None:
    """Rows 0, 1 favor class 0, row 2 class 1, none class 2; row 3 does not count."""
    said = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.0, 0.0, 1.0]])
    expected, guessed = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.5, 0.25, 0.25])
    ratios = [(0.8 + 0.6 + 0.2) / 2, (0.1 + 0.2 + 0.6) / 1]
    wanted = [1 / 3, 1.2 / 3]  # of 1, 1.2 and 0.8
    value = sum(share * math.log(ratio / sum(ratios)) for share, ratio in zip(wanted, ratios, strict=True))
    assert fairness_loss(said, torch.tensor([1.0, 1, 1, 0]), expected, guessed).item() == pytest.approx(value)


def test_where_all_is_uniform_fairness_is_the_negative_entropy_of_the_classes() -> None:
    said, even = 0.7 * torch.eye(4) + 0.075, torch.full((4,), 0.25)
    assert fairness_loss(said, torch.ones(4), even, even).item() == pytest.approx(-math.log(4))


@pytest.mark.parametrize("counting", [0, 1])
def test_without_a_row_or_with_a_single_class_fairness_asks_for_nothing(counting: int) -> None:
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    even, counts = torch.full((3,), 1 / 3), torch.zeros(6)
    counts[:counting] = 1
    loss = fairness_loss(logits.softmax(1), counts, even, even)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.zeros(6, 3), rtol=0, atol=1e-6)


def test_the_step_is_the_papers_equations_in_numpy() -> None:
    method = _freematch(weight=0.7, fairness=0.3, decay=0.6)
    given = batch(method)
    weak, strong = (softmax(method.logits(view))[UNLABELED] for view in given.views)
    chance, classes = np.full(CLASSES, 1 / CLASSES), weak.argmax(1)
    tau = 0.6 / CLASSES + 0.4 * weak.max(1).mean()
    expected = 0.6 * chance + 0.4 * weak.mean(0)
    guessed = 0.6 * chance + 0.4 * np.bincount(classes, minlength=CLASSES) / len(weak)
    counts = weak.max(1) > (tau * expected / expected.max())[classes]
    consistency = (counts * -np.log(strong[np.arange(len(strong)), classes])).mean()
    favored = np.bincount(strong[counts].argmax(1), minlength=CLASSES) / len(weak)
    present = favored > 0
    shares = strong[counts].sum(0)[present] / len(weak) / favored[present]
    wanted = (expected / guessed) / (expected / guessed).sum()
    fairness = (wanted[present] * np.log(shares / shares.sum())).sum()
    value = supervised(method, given) + 0.7 * consistency + 0.3 * fairness
    assert method.training_step(given).loss.item() == pytest.approx(value)
    assert method.confidence.item() == pytest.approx(tau)
    assert method.expected.tolist() == pytest.approx(expected.tolist())
    assert method.guessed.tolist() == pytest.approx(guessed.tolist())


def test_at_the_threshold_of_chance_without_fairness_it_is_plain_fixmatch() -> None:
    method, fixed = _freematch(fairness=0.0, decay=0.999999), network("fixmatch", threshold=0.0)
    output = method.training_step(batch(method))
    assert output.metrics["confident"] == 1
    assert output.loss.item() == pytest.approx(fixed.training_step(batch(fixed)).loss.item())


def test_labeled_rows_do_not_move_the_thresholds() -> None:
    method, other = _freematch(decay=0.5), _freematch(decay=0.5)
    given = batch(method)
    method.training_step(given)
    views = [view.clone() for view in given.views]
    for view in views:
        view[ROWS - LABELED :] += 3
    other.training_step(replace(given, views=views))
    assert torch.equal(method.expected, other.expected)
    assert torch.equal(method.confidence, other.confidence)


def test_a_batch_of_labels_alone_leaves_the_means_and_is_supervised_learning() -> None:
    method = _freematch(decay=0.5)
    given = batch(method, labeled=ROWS)
    plain = network("fixmatch", weight=0.0)
    assert method.training_step(given).loss.item() == pytest.approx(plain.training_step(given).loss.item())
    assert method.expected.tolist() == [pytest.approx(1 / CLASSES)] * CLASSES
    assert method.guessed.tolist() == [pytest.approx(1 / CLASSES)] * CLASSES


def test_the_threshold_rises_to_the_mean_confidence() -> None:
    method = _freematch(decay=0.5)
    given = batch(method)
    for _ in range(40):
        method.training_step(given)
    mean = softmax(method.logits(given.views[0]))[UNLABELED].max(1).mean()
    assert method.confidence.item() == pytest.approx(mean)


def test_the_gradient_is_finite() -> None:
    method = _freematch()
    method.training_step(batch(method)).loss.backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in method.parameters())
