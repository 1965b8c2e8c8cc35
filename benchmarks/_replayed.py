"""One draw of labels on fixed vectors, as `label`, `pseudo_label` and `finetune` go about it, in a second or two.

Heads are solved on the vectors (30 steps of L-BFGS, where the pipeline takes up to 200); of the training samples
`POOL` are used, of the test samples `TEST`, of wide vectors `WIDEST` components. No caps, no rules. What the guard and
the prediction sets hear is kept.
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

POOL, TEST, STEPS, NEIGHBORS, FOREIGN, WIDEST = 3000, 3000, 30, 15, 0.05, 128
ALL = -1
Doubles = npt.NDArray[np.float64]


class Frozen:
    """A data set's vectors `(N, D)`, classes `(N,)` and the rows `(N_train,)`, `(N_test,)` of its splits."""

    def __init__(self, place: Path) -> None:
        manifest, data = read_manifest(place / "data/ingest/manifest.parquet"), place / "data"
        self.name = place.name
        generator = np.random.default_rng(0)
        kept = [
            np.sort(generator.permutation(positions_of(manifest, split))[:count])
            for split, count in (("train", POOL), ("test", TEST))
        ]
        self.positions = np.concatenate(kept)
        self.train, self.test = np.arange(len(kept[0])), len(kept[0]) + np.arange(len(kept[1]))
        self.vectors = _cut(np.load(data / "embed/embeddings.npy", mmap_mode="r")[self.positions], len(self.train))
        self.names = read_classes(data / "ingest/oracle.parquet")
        ids = manifest["id"].to_numpy()[self.positions]
        self.groups = manifest["group"].to_numpy()[self.positions]
        truth = reveal(data / "ingest/oracle.parquet", ids.tolist())
        self.classes = np.array([self.names.index(str(name)) for name in truth])
        self._store = data / "ingest/samples.npy"

    @cached_property
    def columns(self) -> Floats:
        """`(N, D)` standardized over the training samples, as a head sees them."""
        return np.asarray(standardize(self.vectors[self.train])(self.vectors).numpy(), np.float32)

    @cached_property
    def plain(self) -> Floats | None:
        """`(N_train, F)`: the kind of data's simple features, all beside each other, of the training samples."""
        store = open_samples(self._store)
        found = simple_features(build_modality(store.about.modality), store, self.positions[self.train])
        if not found:
            return None
        parts = [rows / max(float(np.linalg.norm(rows - rows.mean(0), axis=1).mean()), 1e-9) for rows in found.values()]
        return np.concatenate(parts, axis=1).astype(np.float32)

    @cached_property
    def graph(self) -> Graph:
        """Of the training samples."""
        return neighbor_graph(self.vectors[self.train], NEIGHBORS, seed=0)

    @cached_property
    def plain_graph(self) -> Graph | None:
        """Of the training samples by their simple features, where the kind of data has some."""
        return None if self.plain is None else neighbor_graph(self.plain - self.plain.mean(0), NEIGHBORS, seed=0)


@dataclass(frozen=True)
class Replayed:
    """What a draw of labels came to; first of two: the candidate, second: the control, probabilities not scaled.

    actual: `(L,)`; held: `(H,)` numbers of labels; out: `(2, H, K)` of the held-out ones; guessed: `(H, K)` what
    pseudo-labels said of these; pool: `(U,)` rows that are not labeled; said: `(2, U, K)` of them; pseudo: `(U, K)` and
    accepted: `(U,)` their pseudo-labels; spread, plain: `(U,)` classes by labels spread over neighbors, by vectors and
    by simple features; test: `(2, N_test, K)`.
    """

    actual: Positions
    held: Positions
    out: Floats
    guessed: Floats
    pool: Positions
    said: Floats
    pseudo: Floats
    accepted: npt.NDArray[np.bool_]
    spread: Positions
    plain: Positions
    test: Floats

    @property
    def temperatures(self) -> list[float]:
        """Of candidate and control, fitted on the held-out labels."""
        targets = np.eye(self.out.shape[2], dtype=np.float32)[self.actual[self.held]]
        return [fit_temperature(rows, targets) for rows in self.out]


@dataclass(frozen=True)
class Draw:
    """Which labels are drawn, and how pseudo-labels are made of them: by `spread`, `own` or `plain`."""

    labels: int
    seed: int
    first: str = "k_medoids"
    labeler: str = "spread"
    threshold: float = 0.8


def replayed(world: Frozen, draw: Draw, kept: Path) -> Replayed:
    """`replay`, or what `kept`, a folder, holds of it."""
    path = kept / f"{world.name}-{'-'.join(str(value) for value in vars(draw).values())}.npz"
    if not path.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(replay(world, draw)))
    with np.load(path, allow_pickle=False) as file:
        return Replayed(**file)


def replay(world: Frozen, draw: Draw) -> Replayed:
    """Labels as they are drawn, pseudo-labels from them, heads on both, and once more without each fold."""
    labeled = _drawn(world, draw)
    actual, size = world.classes[labeled], len(world.names)
    folds = assign_folds(actual, world.groups[labeled].tolist(), folds=5, seed=draw.seed)
    held, pool = np.flatnonzero(folds >= 0), np.setdiff1d(world.train, labeled)
    targets = np.eye(size, dtype=np.float32)[actual]
    turns = [ALL, *np.unique(folds[held]).tolist()]
    kept = {turn: (folds != turn) | (turn == ALL) for turn in turns}
    raw = {turn: _labeled(world, draw, labeled[keep], targets[keep]) for turn, keep in kept.items()}
    out, guessed = np.zeros((2, len(held), size), np.float32), np.zeros((len(held), size), np.float32)
    said, test = np.zeros((2, len(pool), size), np.float32), np.zeros((2, len(world.test), size), np.float32)
    for turn, keep in kept.items():
        others, mine = [one for one in turns[1:] if one != turn], folds[held] == turn
        pseudo = apply_temperature(raw[turn], _temperature(raw, others, folds, labeled, targets))
        foreign = look_foreign(world.vectors[world.train], labeled[keep], folds[keep], FOREIGN)
        sure = np.setdiff1d(np.flatnonzero((pseudo.max(1) >= draw.threshold) & ~foreign), labeled)
        guessed[mine] = pseudo[labeled[held[mine]]]
        for which, head in enumerate(_heads(world, labeled[keep], targets[keep], sure, pseudo)):
            out[which, mine] = head(labeled[held[mine]])
            if turn == ALL:
                said[which], test[which] = head(pool), head(world.test)
        if turn == ALL:
            every, accepted = pseudo[pool], np.isin(pool, sure)
    near = _spread(world, world.graph, labeled, targets)[pool].argmax(1)
    plain = np.full(len(pool), -1)
    if world.plain_graph is not None:
        plain = _spread(world, world.plain_graph, labeled, targets)[pool].argmax(1)
    return Replayed(actual, held, out, guessed, pool, said, every, accepted, near, plain, test)


def _drawn(world: Frozen, draw: Draw) -> Positions:
    strategy = build("query_strategy", PluginChoice(name=draw.first), where="label.first")
    pool = Pool(world.vectors[world.train], world.train[:0], world.train)
    return np.sort(strategy.query(pool, draw.labels, seeds.torch_generator(draw.seed, "label")))


def _labeled(world: Frozen, draw: Draw, labeled: Positions, targets: Floats) -> Floats:
    """`(N_train, K)` by the labeler: `own` asks a head that learned from the labels alone."""
    if draw.labeler == "own":
        return _head(world.columns, labeled, targets, np.full(len(labeled), 1.0))(world.train)
    graph = world.graph if draw.labeler == "spread" else world.plain_graph
    assert graph is not None, "there are simple features"
    return _spread(world, graph, labeled, targets)


def _spread(world: Frozen, graph: Graph, labeled: Positions, targets: Floats) -> Floats:
    task = PoolTask(world.vectors[world.train], graph, labeled, targets, 0)
    return LabelPropagation(LabelPropagation.Config.model_validate({})).pseudo_label(task)


def _cut(vectors: Floats, train: int) -> Floats:
    """Above `WIDEST` numbers a vector, the first principal components of the training samples in place of them."""
    if vectors.shape[1] <= WIDEST:
        return np.asarray(vectors, np.float32)
    center = vectors[:train].mean(axis=0)
    values, axes = np.linalg.eigh(np.cov((vectors[:train] - center).T))
    return np.asarray((vectors - center) @ axes[:, values.argsort()[::-1][:WIDEST]], np.float32)


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
