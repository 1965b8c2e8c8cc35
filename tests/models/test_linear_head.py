"""The solved head: the optimum that scikit-learn finds, as one linear layer on raw vectors."""

import numpy as np
import pytest
import torch

from components.models.linear_head import fit_linear

RNG = np.random.default_rng(0)
POOL = (RNG.normal(size=(300, 6)) * RNG.uniform(0.1, 5, 6) + RNG.normal(size=6)).astype(np.float32)
CLASSES = ((POOL - POOL.mean(axis=0)) / POOL.std(axis=0) @ RNG.normal(size=(6, 3))).argmax(axis=1)
ROWS = np.arange(80)
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES[ROWS]]
WEIGHTS = RNG.uniform(0.2, 2, 80).astype(np.float32)


def _scores(head: torch.nn.Linear) -> np.ndarray:
    return np.asarray(torch.softmax(head(torch.from_numpy(POOL)), 1).detach().numpy())


def test_agrees_with_scikit_learn_on_standardized_columns() -> None:
    from sklearn.linear_model import LogisticRegression

    head, _ = fit_linear(POOL, ROWS, ONE_HOT, WEIGHTS, l2=0.05)
    columns = np.c_[(POOL - POOL.mean(axis=0)) / POOL.std(axis=0) / np.sqrt(6), np.ones(300)]
    reference = LogisticRegression(C=20.0, fit_intercept=False, tol=1e-10, max_iter=5000)
    reference.fit(columns[ROWS], CLASSES[ROWS], WEIGHTS)
    np.testing.assert_allclose(_scores(head), reference.predict_proba(columns), atol=2e-4)


def test_a_repeated_row_counts_like_a_doubled_weight() -> None:
    repeated, _ = fit_linear(POOL, np.r_[ROWS, ROWS[:9]], np.r_[ONE_HOT, ONE_HOT[:9]], np.ones(89, np.float32), l2=0.1)
    weighted, _ = fit_linear(POOL, ROWS, ONE_HOT, np.r_[np.full(9, 2), np.ones(71)].astype(np.float32), l2=0.1)
    np.testing.assert_allclose(_scores(repeated), _scores(weighted), atol=1e-4)


def test_a_soft_target_is_two_weighted_hard_ones() -> None:
    one, two = ROWS[:1], ROWS[[0, 0]]
    soft, _ = fit_linear(POOL, one, np.array([[0.7, 0.3, 0.0]], np.float32), np.ones(1, np.float32), l2=0.1)
    hard, _ = fit_linear(POOL, two, np.eye(3, dtype=np.float32)[:2], np.array([0.7, 0.3], np.float32), l2=0.1)
    np.testing.assert_allclose(_scores(soft), _scores(hard), atol=1e-4)


def test_a_strong_penalty_leaves_nothing_but_doubt() -> None:
    head, loss = fit_linear(POOL, ROWS, ONE_HOT, WEIGHTS, l2=1e6)
    np.testing.assert_allclose(_scores(head), np.full((300, 3), 1 / 3), atol=1e-3)
    assert loss == pytest.approx(np.log(3), abs=1e-3)


def test_a_class_without_labels_is_improbable_but_not_impossible() -> None:
    targets = np.c_[ONE_HOT, np.zeros(80)].astype(np.float32)
    scores = _scores(fit_linear(POOL, ROWS, targets, WEIGHTS, l2=0.01)[0])
    assert 1e-5 < scores[:, 3].max() < 0.05


def test_a_constant_column_does_no_harm() -> None:
    pool = np.hstack([POOL, np.full((300, 1), 7.0, np.float32)])
    head, _ = fit_linear(pool, ROWS, ONE_HOT, WEIGHTS, l2=0.1)
    assert (head.weight[:, 6] == 0).all()
    assert head.weight.isfinite().all()
