"""Turn few labels into calibrated soft labels for the pool, once with all labels and once without each fold."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from components.core import progress, seeds
from components.core.config import PluginChoice, StageParams
from components.core.plugins import build, load
from components.datasets.labels import Labels, read_labels
from components.datasets.manifest import positions_of, read_manifest, rows_of
from components.datasets.pseudo_labels import PseudoLabels, Status, write_pseudo_labels
from components.datasets.rule_labels import read_rule_labels
from components.datasets.sample_store import open_samples
from components.datasets.vectors import open_vectors
from components.judging.calibration import apply_temperature, fit_temperature, humbled
from components.judging.caps import CapsConfig, Origins, within_caps
from components.judging.foreign import look_foreign
from components.judging.two_opinions import two_opinions
from components.methods.contracts import Graph, PoolTask, SemiSupervisedMethod, SemiSupervisedNetwork
from components.modalities.views import read_views
from components.training.corpus import Corpus
from components.training.loop import Row
from components.training.semi_supervised import NetworkConfig, label_pool

Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.object_]
ALL = -1  # the fold number of what was made with all labels
WHERE = "pseudo_label.method"


class Params(StageParams, CapsConfig):
    """threshold: calibrated confidence from which a pseudo-label is accepted, within the caps; foreign: samples are not
    accepted that look like no label, which may hit this share of the known classes (0: none; see `look_foreign`);
    humble: before the threshold, confidences of the pool are brought down until their mean is no more than the share of
    held-out labels that are right (see `humbled`): accepted ones are right as often as `threshold` says, and fewer.
    network: for methods that train one, which is trained once with all labels and once without each fold.
    """

    method: PluginChoice
    network: NetworkConfig = NetworkConfig()
    threshold: float = Field(0.8, ge=0, le=1)
    humble: bool = False
    foreign: float = Field(0.05, ge=0, lt=1)

    def unused(self) -> dict[str, str]:
        """As the base says."""
        trains = _trains_network(self.method)
        return {} if trains else {"network": f"{WHERE} '{self.method.name}' trains no network"}

    @property
    def caps(self) -> CapsConfig:
        """How many may be accepted of one kind."""
        return CapsConfig(**self.model_dump(include=set(CapsConfig.model_fields)))


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    policy: Path,
    encoder: Path,
    embeddings: Path,
    neighbors: Path,
    labels: Path,
    rule_labels: Path,
    pseudo_labels: Path,
) -> dict[str, float]:
    """Write the pseudo-labels of every fold; return acceptance, and accuracy and likelihood on held-out labels."""
    frame = read_manifest(manifest, ["id", "path", "split", "group"])
    train = positions_of(frame, "train")
    ids, origins = frame["id"].to_numpy()[train], _origins(frame, train)
    known = (in_force := read_labels(labels)).vouched
    labeled = rows_of(known.ids, ids, str(labels))
    label = _labeler(params, lambda: Corpus(open_samples(samples), train, read_views(policy)), encoder)
    task = _task(train, embeddings, neighbors, labeled, known, seeds.derive(params.seed, "pseudo_label"))
    folds = sorted(set(known.folds.tolist()) - {-1})
    raw = _raw(task, label, known, folds, _by_rules(task, label, rule_labels, ids))
    held_out = {fold: labeled[known.folds == fold] for fold in folds}
    unlabeled = np.setdiff1d(np.arange(len(train)), labeled)
    level = 0.0 if in_force.ruled else params.foreign  # a class that only rules speak for is like no label
    foreign = {fold: _foreign(task.vectors, labeled, known.folds, fold, level) for fold in raw}
    by_fold, temperatures = {}, {}
    for fold, distributions in raw.items():
        others = [other for other in folds if other != fold]
        temperatures[fold] = _temperature(raw, known, labeled, others)
        if params.humble and others:
            temperatures[fold] *= _humbling(raw, fold, (known, labeled, others), unlabeled, temperatures[fold])
        rows = np.union1d(unlabeled, held_out.get(fold, unlabeled[:0]))
        calibrated = apply_temperature(distributions[rows], temperatures[fold])
        open_ = np.isin(rows, unlabeled)
        by_fold[fold] = _judged(ids[rows], calibrated, origins.of(rows), open_, foreign[fold][rows], params)
    write_pseudo_labels(pseudo_labels, by_fold)
    _warn(foreign[ALL][unlabeled], params)
    return {
        **_figures(by_fold[ALL], in_force),
        **_held_out_figures(by_fold, known, folds),
        "temperature": temperatures[ALL],
    }


def _labeler(params: Params, open_pool: Callable[[], Corpus], encoder: Path) -> Callable[[PoolTask, str], Floats]:
    """What labels the pool of a task; the name it is given goes before the figures that a network's training tells.

    Only for such a network the pool itself is opened.
    """
    if not _trains_network(params.method):
        method: SemiSupervisedMethod = build("semi_supervised", params.method, where=WHERE)
        return lambda task, _: method.pseudo_label(task)
    seeds.deterministic(params.threads)
    corpus = open_pool()

    def label(task: PoolTask, name: str) -> Floats:
        def tell(epoch: int, epochs: int, row: Row) -> None:
            progress.report_epoch(epoch, {f"{name}loss": row["loss"]}, total=epochs)

        return label_pool(params.method, task, corpus, encoder, params.network, on_epoch=tell)

    return label


def _trains_network(choice: PluginChoice) -> bool:
    return issubclass(load("semi_supervised", choice.name, where=WHERE), SemiSupervisedNetwork)


def _task(
    train: Positions, embeddings: Path, neighbors: Path, labeled: Positions, known: Labels, seed: int
) -> PoolTask:
    vectors = open_vectors(embeddings)[train]
    with np.load(neighbors, allow_pickle=False) as file:
        assert np.array_equal(file["positions"], train), "neighbors.npz is of the training split, in manifest order"
        graph = Graph(file["indices"], file["similarities"])
    return PoolTask(vectors, graph, labeled, known.distributions, seed)


def _origins(frame: pd.DataFrame, train: Positions) -> Origins:
    folders = frame["path"].map(lambda path: path.rpartition("/")[0]).to_numpy(object)
    return Origins(frame["group"].to_numpy(object)[train], folders[train])


def _without(task: PoolTask, held_out: npt.NDArray[np.bool_]) -> PoolTask:
    """The task that must not know the held-out labels."""
    return PoolTask(task.vectors, task.graph, task.labeled[~held_out], task.targets[~held_out], task.seed)


def _temperature(raw: dict[int, Floats], known: Labels, labeled: Positions, folds: list[int]) -> float:
    """Fitted on what each fold's method, which never saw that fold's labels, said of them.

    For a fold's own pseudo-labels the fold itself is left out, so that its labels stay a fair test of the outcome (all
    they touch is this one number, through what the other folds' methods learned from them).
    """
    guesses = [raw[fold][labeled[known.folds == fold]] for fold in folds]
    targets = [known.distributions[known.folds == fold] for fold in folds]
    return fit_temperature(np.concatenate(guesses), np.concatenate(targets)) if folds else 1.0


def _humbling(
    raw: dict[int, Floats],
    fold: int,
    held_out: tuple[Labels, Positions, list[int]],
    pool: Positions,
    temperature: float,
) -> float:
    """By how much more the pool is flattened, so that it is no surer than each fold's method, which never saw them, is
    right on labels. held_out: the labels, their rows, and the folds that are asked.
    """
    known, labeled, folds = held_out
    said = np.concatenate([raw[fold][labeled[known.folds == fold]] for fold in folds]).argmax(1)
    actual = np.concatenate([known.distributions[known.folds == fold] for fold in folds]).argmax(1)
    right = float((said == actual).mean())
    return humbled(apply_temperature(raw[fold][pool], temperature), right) if len(pool) else 1.0


def _foreign(vectors: Floats, labeled: Positions, folds: Positions, fold: int, level: float) -> Flags:
    """What looks like none of the labels outside `fold`: `(N,)`."""
    if not level:
        return np.zeros(len(vectors), bool)
    known = (folds != fold) | (fold == ALL)
    return look_foreign(vectors, labeled[known], folds[known], level)


def _by_rules(task: PoolTask, label: Callable[[PoolTask, str], Floats], rule_labels: Path, ids: Names) -> Floats | None:
    """`(N, K)` what rules say, carried on as labels are to the samples that they are silent on; None without rules."""
    spoken, said = read_rule_labels(rule_labels)
    if not spoken:
        return None
    return label(PoolTask(task.vectors, task.graph, rows_of(spoken, ids, str(rule_labels)), said, task.seed), "rule_")


def _raw(
    task: PoolTask,
    label: Callable[[PoolTask, str], Floats],
    known: Labels,
    folds: list[int],
    ruled: Floats | None,
) -> dict[int, Floats]:
    """`(N, K)` made without each fold's labels and with all; where there are rules, what these say (`ruled`) joined."""
    raw = {fold: label(_without(task, known.folds == fold), f"fold_{fold}_") for fold in folds}
    raw |= {ALL: label(task, "")} if len(task.labeled) else {}
    if ruled is None:
        return raw
    both = {} if raw else {ALL: ruled}
    for fold, distributions in raw.items():
        others = [other for other in folds if other != fold]
        opinions = raw, dict.fromkeys(raw, ruled)
        first, second = (_temperature(one, known, task.labeled, others) for one in opinions)
        both[fold] = two_opinions(distributions, ruled, (first, second))
    return both


def _warn(foreign: npt.NDArray[np.bool_], params: Params) -> None:
    if len(foreign) and foreign.mean() > 2 * params.foreign:  # known classes alone would hardly reach that
        print(
            f"  pseudo_label: {foreign.mean():.0%} of the unlabeled samples look like none of the labels and get no "
            "pseudo-label: foreign classes, or kinds that nobody labeled yet; pseudo_label.foreign: 0 lets them in.",
            file=sys.stderr,
        )


def _judged(
    ids: Names, distributions: Floats, origins: Origins, unlabeled: Flags, foreign: Flags, params: Params
) -> PseudoLabels:
    """Accept unlabeled samples that are confident and not foreign, within the caps."""
    confidence, eligible = distributions.max(1), unlabeled & ~foreign
    confident = eligible & (confidence >= params.threshold)
    within = within_caps(confident, distributions, origins, params.caps, pool=int(eligible.sum()))
    reasons = {
        Status.HELD_OUT: ~unlabeled,
        Status.FOREIGN: foreign,
        Status.UNSURE: ~confident,
        Status.COPY: ~within.group,
        Status.FOLDER: ~within.folder,
        Status.CLASS: ~within.all,
    }
    status = np.select(list(reasons.values()), list(reasons), Status.ACCEPTED).astype(np.int8)  # the first that applies
    return PseudoLabels(ids.tolist(), distributions, confidence, status)


def _figures(made: PseudoLabels, known: Labels) -> dict[str, float]:
    """How many were accepted, how many the caps held back, and each class's share beside its share of the labels."""
    accepted, count = made.accepted, max(len(made.ids), 1)
    of = dict(zip(Status, np.bincount(made.status, minlength=len(Status)).tolist(), strict=True))
    guesses = np.bincount(made.distributions[accepted].argmax(1), minlength=len(known.classes))
    shares = guesses / max(of[Status.ACCEPTED], 1)
    of_labels = known.distributions.mean(0)
    return {
        "pseudo_labels_accepted": of[Status.ACCEPTED],
        "foreign_share": of[Status.FOREIGN] / count,
        "pseudo_labels_over_cap": of[Status.COPY] + of[Status.FOLDER] + of[Status.CLASS],
        "pseudo_labels_over_group_cap": of[Status.COPY],
        "pseudo_labels_over_folder_cap": of[Status.FOLDER],
        "accepted_share": of[Status.ACCEPTED] / count,
        "mean_confidence": float(made.confidence.mean()) if made.ids else 0.0,
        "class_share_difference": float(np.abs(shares - of_labels).sum() / 2) if accepted.any() else 0.0,
        **{f"accepted_share_{name}": float(share) for name, share in zip(known.classes, shares, strict=True)},
        **{f"label_share_{name}": float(share) for name, share in zip(known.classes, of_labels, strict=True)},
    }


def _held_out_figures(by_fold: dict[int, PseudoLabels], known: Labels, folds: list[int]) -> dict[str, float]:
    """Accuracy and negative log-likelihood of the calibrated distributions on labels they were made without."""
    if not folds:
        return {}
    guesses, targets = [], []
    for fold in folds:
        held_out = np.flatnonzero(known.folds == fold)
        place = {id_: row for row, id_ in enumerate(by_fold[fold].ids)}
        guesses.append(by_fold[fold].distributions[[place[known.ids[row]] for row in held_out]])
        targets.append(known.distributions[held_out])
    guess, target = np.concatenate(guesses), np.concatenate(targets)
    likelihood = (target * np.log(np.maximum(guess, 1e-12))).sum(1)
    return {
        "held_out_accuracy": float((guess.argmax(1) == target.argmax(1)).mean()),
        "held_out_nll": float(-likelihood.mean()),
    }
