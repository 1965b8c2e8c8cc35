"""One draw of labels on fixed vectors, as `label`, `pseudo_label` and `finetune` go about it, in a second or two.

Heads are solved on the vectors (30 steps of L-BFGS, where the pipeline takes up to 200); of the training samples
`POOL` are used, of the test samples `TEST`. No caps, no rules. What the guard and the prediction sets hear is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from components.core import seeds
from components.core.config import PluginChoice
from components.core.plugins import build
from components.datasets.folds import assign_folds
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.sample_store import open_samples
from components.judging.baselines import simple_features
from components.judging.calibration import apply_temperature, fit_temperature
from components.judging.foreign import look_foreign
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import Floats, Graph, Pool, PoolTask, Positions
from components.methods.semi_supervised.label_propagation import LabelPropagation
from components.modalities import build_modality
from components.models.standardize import standardize

POOL, TEST, STEPS, NEIGHBORS, FOREIGN = 3000, 3000, 30, 15, 0.05
ALL = -1
Doubles = npt.NDArray[np.float64]


class Frozen:
    """A data set's vectors `(N, D)`, classes `(N,)` and the rows `(N_train,)`, `(N_test,)` of its splits."""

    def __init__(self, place: Path) -> None:
        manifest, data = read_manifest(place / "data/ingest/manifest.parquet"), place / "data"
        generator = np.random.default_rng(0)
        kept = [
            np.sort(generator.permutation(positions_of(manifest, split))[:count])
            for split, count in (("train", POOL), ("test", TEST))
        ]
        self.positions = np.concatenate(kept)
        self.train, self.test = np.arange(len(kept[0])), len(kept[0]) + np.arange(len(kept[1]))
        self.vectors = np.load(data / "embed/embeddings.npy", mmap_mode="r")[self.positions].astype(np.float32)
        self.names = read_classes(data / "ingest/oracle.parquet")
        ids = manifest["id"].to_numpy()[self.positions]
        self.groups = manifest["group"].to_numpy()[self.positions]
        truth = reveal(data / "ingest/oracle.parquet", ids.tolist())
        self.classes = np.array([self.names.index(str(name)) for name in truth])
        self._store = data / "ingest/samples.npy"

    @cached_property
    def columns(self) -> Doubles:
        """`(N, D)` standardized over the training samples, as a head sees them."""
        return np.asarray(standardize(self.vectors[self.train])(self.vectors).numpy(), np.float32)

    @cached_property
    def plain(self) -> Floats:
        """`(N_train, F)`: the kind of data's simple features, all beside each other, of the training samples."""
        store = open_samples(self._store)
        found = simple_features(build_modality(store.about.modality), store, self.positions[self.train])
        parts = [rows / max(float(np.linalg.norm(rows - rows.mean(0), axis=1).mean()), 1e-9) for rows in found.values()]
        return np.concatenate(parts, axis=1).astype(np.float32)

    @cached_property
    def graph(self) -> Graph:
        """Of the training samples."""
        return neighbor_graph(self.vectors[self.train], NEIGHBORS, seed=0)

    @cached_property
    def plain_graph(self) -> Graph:
        """Of the training samples by their simple features."""
        return neighbor_graph(self.plain - self.plain.mean(0), NEIGHBORS, seed=0)


@dataclass
class Replayed:
    """What a draw of labels came to; first of two: the candidate, second: the control, probabilities not scaled.

    labeled, folds, actual: `(L,)`; held: `(H,)` numbers of labels; out: `(2, H, K)` of the held-out ones; pool: `(U,)`
    rows that are not labeled, said: `(2, U, K)` of them; by_fold: `(F, 2, U, K)` by the folds' models; test:
    `(2, N_test, K)`; accepted: of the pool, by fold (-1: all).
    """

    labeled: Positions
    folds: Positions
    actual: Positions
    held: Positions
    out: Floats
    pool: Positions
    said: Floats
    by_fold: Floats
    test: Floats
    accepted: dict[int, Positions]
    guesses: dict[int, Floats]

    @property
    def temperatures(self) -> list[float]:
        """Of candidate and control, fitted on the held-out labels."""
        targets = np.eye(self.out.shape[2], dtype=np.float32)[self.actual[self.held]]
        return [fit_temperature(rows, targets) for rows in self.out]


Labeler = Callable[[PoolTask], Floats]


def spread(task: PoolTask) -> Floats:
    """Label propagation, as ships."""
    return LabelPropagation(LabelPropagation.Config.model_validate({})).pseudo_label(task)


def replay(world: Frozen, count: int, seed: int, *, first: str, labeler: Labeler, threshold: float = 0.8) -> Replayed:
    """Labels drawn by the query strategy `first`, pseudo-labels by `labeler` from `threshold` on, heads on both."""
    vectors, everyone = world.vectors[world.train], np.arange(len(world.train))
    strategy = build("query_strategy", PluginChoice(name=first), where="label.first")
    none = everyone[:0]
    labeled = np.sort(strategy.query(Pool(vectors, none, everyone), count, seeds.torch_generator(seed, "label")))
    actual, size = world.classes[labeled], len(world.names)
    folds = assign_folds(actual, world.groups[labeled].tolist(), folds=5, seed=seed)
    held, pool = np.flatnonzero(folds >= 0), np.setdiff1d(everyone, labeled)
    targets = np.eye(size, dtype=np.float32)[actual]
    turns = [ALL, *np.unique(folds[held]).tolist()]
    raw = {
        turn: labeler(PoolTask(vectors, world.graph, labeled[keep], targets[keep], seed))
        for turn in turns
        for keep in [(folds != turn) | (turn == ALL)]
    }
    out, said = np.zeros((2, len(held), size), np.float32), np.zeros((2, len(pool), size), np.float32)
    test, by_fold = np.zeros((2, len(world.test), size), np.float32), np.zeros((len(turns) - 1, 2, len(pool), size))
    accepted, guesses = {}, {}
    for number, turn in enumerate(turns):
        keep, others = (folds != turn) | (turn == ALL), [one for one in turns[1:] if one != turn]
        guessed = apply_temperature(raw[turn], _temperature(raw, others, folds, labeled, targets))
        foreign = look_foreign(vectors, labeled[keep], folds[keep], FOREIGN)
        sure = np.setdiff1d(np.flatnonzero((guessed.max(1) >= threshold) & ~foreign), labeled)
        accepted[turn], guesses[turn] = sure, guessed
        for which, heads in enumerate(_heads(world, labeled[keep], targets[keep], sure, guessed)):
            mine = folds[held] == turn
            if turn == ALL:
                said[which], test[which] = heads(pool), heads(world.test)
            else:
                out[which, mine], by_fold[number - 1, which] = heads(labeled[held[mine]]), heads(pool)
    return Replayed(labeled, folds, actual, held, out, pool, said, by_fold, test, accepted, guesses)


def _temperature(raw: dict[int, Floats], turns: list[int], folds: Positions, labeled: Positions, hot: Floats) -> float:
    if not turns:
        return 1.0
    guessed = np.concatenate([raw[turn][labeled[folds == turn]] for turn in turns])
    return fit_temperature(guessed, np.concatenate([hot[folds == turn] for turn in turns]))


def _heads(
    world: Frozen, labeled: Positions, targets: Floats, sure: Positions, guessed: Floats
) -> list[Callable[[Positions], Floats]]:
    """Candidate and control: labels are repeated until they are a quarter of what is learned from."""
    repeats = float(-(-max(128, len(sure) / 3) // len(labeled)))
    weights = np.full(len(labeled), repeats)
    rows, hot = np.concatenate([labeled, sure]), np.concatenate([targets, guessed[sure]])
    alone = _head(world.columns, labeled, targets, weights)
    return [_head(world.columns, rows, hot, np.concatenate([weights, guessed[sure].max(1)])), alone]


def _head(columns: Floats, rows: Positions, targets: Floats, weights: Doubles) -> Callable[[Positions], Floats]:
    """Logistic regression, as `fit_linear` minimizes it."""
    design, parts = np.hstack([columns[rows], np.ones((len(rows), 1), np.float32)]), weights[:, None].astype(np.float32)
    shape, l2 = (design.shape[1], targets.shape[1]), 0.01

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        matrix = flat.reshape(shape)
        logs = log_softmax(design @ matrix.astype(np.float32), axis=1)
        slope = design.T @ (parts * (np.exp(logs) - targets)) + l2 * matrix
        value = -float((parts * targets * logs).sum()) + l2 / 2 * float(np.square(matrix).sum())
        return value / parts.sum(), np.asarray(slope.ravel() / parts.sum(), np.float64)

    start = np.zeros(shape[0] * shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x.reshape(shape)
    weight, bias = found[:-1].astype(np.float32), found[-1].astype(np.float32)
    return lambda asked: np.asarray(softmax(columns[asked] @ weight + bias, axis=1), np.float32)
