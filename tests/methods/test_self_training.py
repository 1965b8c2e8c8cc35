"""Self-training at its limits, where it must be something simpler, and its regression against scikit-learn's."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from components.methods.contracts import Floats, Graph, PoolTask
from components.methods.semi_supervised.self_training import SelfTraining, logistic_regression

NO_GRAPH = Graph(np.zeros((90, 1), np.int64), np.zeros((90, 1), np.float32))


def task(labeled: int = 6) -> tuple[PoolTask, Floats]:
    """Three overlapping groups with a few labels each, and everyone's true class."""
    generator = np.random.default_rng(0)
    classes = np.arange(90) % 3
    vectors = (np.eye(3, 5)[classes] + 0.45 * generator.normal(size=(90, 5))).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[classes]
    return PoolTask(vectors, NO_GRAPH, np.arange(labeled), targets[:labeled], seed=0), targets


def centered(vectors: Floats) -> torch.Tensor:
    unit = torch.nn.functional.normalize(torch.as_tensor(vectors), dim=1)
    return torch.nn.functional.normalize(unit - unit.mean(0), dim=1)


def run(given: PoolTask, **options: object) -> Floats:
    return SelfTraining(SelfTraining.Config.model_validate(options)).pseudo_label(given)


def test_the_regression_is_the_minimum_that_scikit_learn_finds() -> None:
    given, targets = task(60)
    vectors, classes = centered(given.vectors)[:60], targets[:60].argmax(1)
    ours = logistic_regression(vectors, torch.as_tensor(targets[:60]), 0.01)
    reference = LogisticRegression(C=1 / (0.01 * 60), fit_intercept=False, tol=1e-8, max_iter=10_000)
    reference.fit(vectors.numpy(), classes)
    np.testing.assert_allclose(ours.T.numpy(), reference.coef_, atol=2e-3)


def test_zero_rounds_is_supervised_learning() -> None:
    given, targets = task()
    vectors = centered(given.vectors)
    weights = logistic_regression(vectors[:6], torch.as_tensor(targets[:6]), 0.01)
    expected = torch.softmax(vectors @ weights, 1).numpy()[6:]
    np.testing.assert_allclose(run(given, rounds=0, regularization=0.01)[6:], expected, atol=1e-5)


def test_threshold_zero_is_plain_pseudo_labeling_of_the_whole_pool() -> None:
    given, targets = task()
    vectors = centered(given.vectors)
    teacher = run(given, rounds=0, regularization=0.01)
    answers = np.concatenate([targets[:6], np.eye(3, dtype=np.float32)[teacher[6:].argmax(1)]])
    student = logistic_regression(vectors, torch.as_tensor(answers), 0.01)
    expected = torch.softmax(vectors @ student, 1).numpy()[6:]
    options = {"rounds": 1, "threshold": 0.0, "regularization": 0.01}
    np.testing.assert_allclose(run(given, **options)[6:], expected, atol=1e-5)


def test_an_unreachable_threshold_changes_nothing() -> None:
    given, _ = task()
    np.testing.assert_allclose(run(given, rounds=3, threshold=1.0), run(given, rounds=0), atol=1e-6)


def test_soft_pseudo_labels_say_less_than_hard_ones() -> None:
    given, _ = task()
    soft, hard = (run(given, rounds=2, threshold=0.0, soft=kind)[6:].max(1).mean() for kind in (True, False))
    assert soft < hard


def test_rows_are_distributions_and_labels_stay() -> None:
    given, targets = task()
    made = run(given)
    np.testing.assert_allclose(made.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(made[:6], targets[:6])
