"""finetune: the encoder becomes a classifier, with pseudo-labels and without; the guard says which one ships."""

import json
import math
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from components.core import progress, seeds
from components.core.config import PluginChoice, StageParams
from components.core.errors import WinnowError
from components.core.files import sha256, write_text
from components.core.plugins import load
from components.core.spreadsheet import frame_to_csv
from components.datasets.labels import Labels, read_labels
from components.datasets.manifest import positions_of, read_manifest, rows_of
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.sample_store import open_samples
from components.datasets.vectors import open_vectors
from components.judging import guard as guards
from components.judging import second_control as second
from components.judging.calibration import apply_temperature, fit_temperature, match_temperature
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import Floats, PoolTask, Positions
from components.methods.semi_supervised.label_propagation import LabelPropagation
from components.modalities.views import read_views
from components.models.additions import Additions
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import load_encoder
from components.models.prediction_sets import PredictionSets, SetSettings, calibrate
from components.models.seen import COMPARED as OTHERS
from components.models.seen import KEPT, Seen, reference
from components.training.adapt import Examples, Material, adapt
from components.training.corpus import Corpus
from components.training.few_steps import few_steps
from components.training.from_scratch import CHEAP, VIEW, numbers_seen, train_from_scratch
from components.training.inference import observe, predict
from components.training.loop import LoopConfig, Row
from components.training.made_samples import add_made_samples

COMPARED = 2000  # unlabeled pictures the guard looks at
NEIGHBORS = 10
PROBE = PluginChoice.model_validate({"name": "linear_probe", "l2": "chosen", "balanced": True})
NAMES = ("candidate", "control")  # learned from labels and pseudo-labels, and from labels alone


class Params(StageParams, LoopConfig):
    """The `finetune` block: the method, the loop's settings and what pseudo-labels count.

    pseudo_weight: weight of a fully confident pseudo-label, a label's being 1; labeled_share: labels are repeated until
    they are this share of an epoch; guard_epochs: of each held-out fold's two trainings, 0 compares solved heads only;
    guard_level: of the guard's tests, see `guard.judge`.
    second_control: whether what ships is held against simpler means, see `_second_kind`; auto: where that is cheap.
    sets: of the prediction sets, whose threshold is found on the same held-out labels; None: there are none.
    """

    method: PluginChoice
    pseudo_weight: float = Field(default=1.0, gt=0)
    labeled_share: float = Field(default=0.25, gt=0, lt=1)
    guard_epochs: int = Field(default=0, ge=0)
    guard_level: float = Field(default=guards.LEVEL, gt=0, lt=1)
    second_control: second.Choice = "auto"
    sets: SetSettings | None = SetSettings()

    def unused(self) -> dict[str, str]:
        """As the base says: what only steps of training use, where there are none."""
        steps = {*LoopConfig.model_fields, "labeled_share", "guard_epochs"}
        if load("adaptation", self.method.name, where="finetune.method").frozen_encoder:
            return dict.fromkeys(steps, f"finetune.method '{self.method.name}' solves a head and trains nothing else")
        if not self.epochs and not self.guard_epochs:
            why = "finetune.epochs and guard_epochs are 0, so that a head is solved and nothing else trained"
            return dict.fromkeys(steps - {"epochs", "guard_epochs"}, why)
        return {}

    @property
    def loop(self) -> LoopConfig:
        """The settings that are the loop's."""
        return LoopConfig(**self.model_dump(include=set(LoopConfig.model_fields)))


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    policy: Path,
    encoder: Path,
    embeddings: Path,
    labels: Path,
    synthetic_labels: Path,
    pseudo_labels: Path,
    model: Path,
    control: Path,
    guard: Path,
    second_control: Path,
    history: Path,
) -> dict[str, float]:
    """Train candidate and control, judge them, write the one that ships as `model` and the label-only one as `control`.

    Held-out evidence comes from fold trainings: fold f's candidate sees neither the labels of f nor pseudo-labels made
    with them. Each model's temperature and the threshold of its prediction sets are fitted on the same predictions.
    """
    seeds.deterministic(params.threads)
    task = _read(params, manifest, samples, policy, encoder, embeddings, labels, synthetic_labels, pseudo_labels)
    held = np.flatnonzero(task.labels.folds >= 0)
    answers = task.labels.distributions[held]
    raw = _held_out(task, held)
    temperatures = [fit_temperature(probabilities, answers) for probabilities in raw]
    scaled = [apply_temperature(rows, by) for rows, by in zip(raw, temperatures, strict=True)]
    actual = answers.argmax(axis=1)
    sets = [calibrate(rows, actual, params.sets) if params.sets else None for rows in scaled]
    (candidate, learned), (alone, taught) = _final(task, temperatures, sets)
    verdict = _judged(task, candidate, alone, scaled, actual)
    save_classifier(control, alone)
    shipped = candidate if verdict.shipped == "pseudo_labels" else alone
    said = scaled[NAMES.index("candidate" if shipped is candidate else "control")]
    opinion, rival = _second_opinion(task, held, said.argmax(axis=1) == actual)
    if rival is not None:
        shipped, verdict = rival, replace(verdict, shipped=opinion.kind or verdict.shipped, why=opinion.why)
    shipped.spec = shipped.spec.model_copy(update={"seen": _seen(task, shipped, manifest)})
    save_classifier(model, shipped)
    write_text(guard, json.dumps(verdict.record(), indent=2, sort_keys=True) + "\n")
    write_text(second_control, json.dumps(opinion.record(), indent=2, sort_keys=True) + "\n")
    _write_history(history, learned, taught)
    return {
        "shipped_pseudo_labels": float(verdict.shipped == "pseudo_labels"),
        "held_out_labels": float(len(held)),
        "candidate_right": float(verdict.candidate_right),
        "control_right": float(verdict.control_right),
    }


@dataclass(frozen=True)
class _Task:
    """What all trainings of this stage share. places: `(L,)` positions of the labels; ids: of all samples, by position.

    made: labeled pictures that no store holds, which both models learn from in every training; embedded: sha256 of the
    vectors.
    """

    params: Params
    material: Material
    labels: Labels
    places: Positions
    ids: pd.Index
    pseudo_labels: Path
    spec: ClassifierSpec
    made: Examples
    embedded: str

    def vectors(self, classifier: Classifier) -> Floats | None:
        """Of all samples, where the classifier's encoder made them."""
        return self.material.vectors if classifier.spec.embedded else None

    def predict(self, classifier: Classifier, rows: Positions) -> Floats:
        """Its probabilities `(M, K)` of samples."""
        return predict(classifier, self.material.corpus.samples, rows, vectors=self.vectors(classifier))


def _read(
    params: Params,
    manifest: Path,
    samples: Path,
    policy: Path,
    encoder: Path,
    embeddings: Path,
    labels: Path,
    synthetic_labels: Path,
    pseudo_labels: Path,
) -> _Task:
    listing = read_manifest(manifest, ["id", "split"])
    ids = pd.Index(listing["id"])
    labeled = read_labels(labels)
    if not labeled.ids:
        raise WinnowError("there is no label to learn from: add rows to the ledger, or set label.budget.")
    corpus = Corpus(open_samples(samples), positions_of(listing, "train"), read_views(policy))
    material = Material(corpus, open_vectors(embeddings), encoder, classes=len(labeled.classes))
    spec = ClassifierSpec(encoder=load_encoder(encoder)[1], classes=labeled.classes, method=params.method.name)
    material, made = add_made_samples(material, synthetic_labels)
    places = rows_of(labeled.ids, ids, str(labels))
    return _Task(params, material, labeled, places, ids, pseudo_labels, spec, made, sha256(embeddings))


def _examples(task: _Task, fold: int) -> tuple[Examples, Examples]:
    """What candidate and control learn from when the labels of `fold` are held out (-1: none are)."""
    params = task.params
    guessed = read_pseudo_labels(task.pseudo_labels, fold)
    accepted = np.flatnonzero(guessed.accepted)
    kept = np.flatnonzero((task.labels.folds != fold) | (fold < 0))
    share = params.labeled_share / (1 - params.labeled_share)
    given = Examples(
        positions=task.places[kept],
        targets=task.labels.distributions[kept],
        weights=np.ones(len(kept), np.float32),
        repeats=np.ones(len(kept), np.int64),
    ).joined(task.made)
    repeats = math.ceil(max(params.batch_size, share * len(accepted)) / len(given.positions))
    control = replace(given, repeats=repeats * given.repeats)
    extra = Examples(
        positions=rows_of([guessed.ids[row] for row in accepted], task.ids, str(task.pseudo_labels)),
        targets=guessed.distributions[accepted],
        weights=params.pseudo_weight * guessed.confidence[accepted],
        repeats=np.ones(len(accepted), np.int64),
    )
    return control.joined(extra), control


def _held_out(task: _Task, held: Positions) -> tuple[Floats, Floats]:
    """Probabilities `(H, K)` of the held-out labels by candidate and control, each from a training without its fold."""
    folds = task.labels.folds[held]
    both = np.zeros((2, len(held), task.material.classes), np.float32)
    loop = task.params.loop.model_copy(update={"epochs": task.params.guard_epochs})
    for fold in np.unique(folds).tolist():
        mine = folds == fold
        for number, examples in enumerate(_examples(task, fold)):
            classifier, _ = _train(task, examples, loop, name=f"fold {fold}")
            both[number, mine] = task.predict(classifier, task.places[held[mine]])
    return both[0], both[1]


def _second_kind(task: _Task) -> second.Kind:
    """`scratch`: the same network without pretraining; `probe`: given weights as they are, where a method adapts them.

    Given weights under a solved head need none: the label-only control is that.
    """
    given, encoder = task.params, task.spec.encoder
    frozen = load("adaptation", given.method.name, where="finetune.method").frozen_encoder
    if given.second_control == "off" or (encoder.origin and (frozen or not given.epochs)):
        return ""
    return "probe" if encoder.origin else "scratch"


def _second_opinion(
    task: _Task, held: Positions, first: npt.NDArray[np.bool_]
) -> tuple[second.Opinion, Classifier | None]:
    """Of the second control, and itself where it ships. first: `(H,)` which of the held-out labels `held` are right."""
    given, kind = task.params, _second_kind(task)
    if not kind:
        return second.Opinion(), None
    if why := _why_no_second(task, kind, held):
        if given.second_control == "on":
            print(f"  finetune: no second control is trained: {why}.", file=sys.stderr)
        return second.not_compared(why), None
    learn = partial(_from_scratch if kind == "scratch" else _probe, task)
    said = np.zeros((len(held), task.material.classes), np.float32)
    for fold in np.unique(task.labels.folds[held]).tolist():
        mine = task.labels.folds[held] == fold
        said[mine] = task.predict(learn(fold), task.places[held[mine]])
    answers = task.labels.distributions[held]
    opinion = second.compare(kind, first, said.argmax(axis=1) == answers.argmax(axis=1))
    print(f"  finetune: {opinion.why}", file=sys.stderr)
    if not opinion.ships:
        return opinion, None
    temperature, rival = fit_temperature(said, answers), learn(-1)
    scaled = apply_temperature(said, temperature)
    sets = calibrate(scaled, answers.argmax(axis=1), given.sets) if given.sets else None
    rival.spec = rival.spec.model_copy(update={"temperature": temperature, "sets": sets})
    return opinion, rival


def _why_no_second(task: _Task, kind: second.Kind, held: Positions) -> str:
    """Why a second control cannot be judged, or costs too much to be trained unasked; nothing where it can."""
    given, trainings = task.params, len(np.unique(task.labels.folds[held])) + 1
    if not len(held):
        return "no label could be held out"
    solved = load("adaptation", given.method.name, where="finetune.method").frozen_encoder or not given.epochs
    if not solved and not given.guard_epochs:
        return "finetune.guard_epochs is 0, so that no held-out label says what the adaptation comes to"
    if kind == "scratch" and VIEW not in task.material.corpus.views:
        return f"it learns under augment.policies.{VIEW}, which is not there"
    if kind == "scratch" and given.second_control == "auto" and numbers_seen(task.spec.encoder, trainings) > CHEAP:
        return "from scratch it would take long; finetune.second_control: on trains it all the same"
    return ""


def _from_scratch(task: _Task, fold: int) -> Classifier:
    examples, spec = _examples(task, fold)[1], task.spec.model_copy(update={"method": "full"})
    seed = seeds.derive(task.params.seed, "finetune")
    found = train_from_scratch(spec.encoder, task.material.corpus, examples, task.material.classes, seed=seed)
    return Classifier(*found, spec)


def _probe(task: _Task, fold: int) -> Classifier:
    params = task.params.model_copy(update={"method": PROBE})
    spec = task.spec.model_copy(update={"method": PROBE.name})
    return _train(replace(task, params=params, spec=spec), _examples(task, fold)[1], params.loop, name="probe")[0]


def _final(
    task: _Task, temperatures: list[float], sets: list[PredictionSets | None]
) -> list[tuple[Classifier, list[Row]]]:
    """Candidate and control on everything, with their histories; one and the same where no pseudo-label is accepted."""
    examples = _examples(task, -1)
    names = NAMES if len(examples[0].positions) > len(examples[1].positions) else NAMES[1:]
    trained = []
    for name in names:
        number = NAMES.index(name)
        classifier, rows = _train(task, examples[number], task.params.loop, name=name)
        few = few_steps(task.params.loop, int(examples[number].repeats.sum()))
        if few and len(rows) > 1 and name == names[0]:
            print(f"  finetune: {few}", file=sys.stderr)
        temperature = temperatures[number]
        if len(rows) > 1 and not task.params.guard_epochs and (task.labels.folds >= 0).any():
            temperature = _carried_over(task, classifier, examples[number], temperature)
        classifier.spec = classifier.spec.model_copy(update={"temperature": temperature, "sets": sets[number]})
        trained.append((classifier, rows))
    return trained if len(trained) > 1 else [(trained[0][0], []), trained[0]]


def _carried_over(task: _Task, classifier: Classifier, examples: Examples, temperature: float) -> float:
    """The temperature for a fine-tuned encoder where `temperature` was fitted on heads of the unchanged one.

    Fine-tuning changes the scale of logits, so what is carried over is the mean confidence on the unlabeled pool; where
    nothing is unlabeled, the temperature as it is.
    """
    if not len(rows := _pool_rows(task)):
        return temperature
    head, _ = _train(task, examples, task.params.loop.model_copy(update={"epochs": 0}), name="head")
    target = apply_temperature(task.predict(head, rows), temperature).max(axis=1).mean()
    return match_temperature(task.predict(classifier, rows), float(target))


def _train(task: _Task, examples: Examples, loop: LoopConfig, *, name: str) -> tuple[Classifier, list[Row]]:
    def report(epoch: int, row: Row) -> None:
        if name in NAMES:
            progress.report_epoch(epoch, {f"{name}_loss": row["loss"]}, total=loop.epochs)

    seed = seeds.derive(task.params.seed, "finetune")  # the same for candidate and control: they differ in data alone
    method, rows = adapt(task.params.method, task.material, examples, loop, seed=seed, on_epoch=report)
    encoder = task.spec.encoder.model_copy(update={"additions": method.encoder.additions})
    unchanged = len(rows) == 1 and method.encoder.additions == Additions()
    embedded = task.embedded if unchanged else ""
    spec = task.spec.model_copy(update={"encoder": encoder, "dropout": method.dropout, "embedded": embedded})
    return Classifier(method.encoder, method.head, spec), rows


def _judged(
    task: _Task, candidate: Classifier, control: Classifier, probabilities: list[Floats], actual: Positions
) -> guards.Verdict:
    """By the held-out labels `actual` `(H,)` and what each model said of them, `(H, K)`."""
    if candidate is control:
        return guards.nothing_to_judge()
    said = [rows.argmax(axis=1) for rows in probabilities]
    held_out = guards.Answers(said[0], said[1], actual)
    return guards.judge(held_out, _on_samples(task, candidate, control), level=task.params.guard_level)


def _on_samples(task: _Task, candidate: Classifier, control: Classifier) -> guards.Answers:
    """What the models say of the labeled pictures and a random part of the rest, and labels spread over all of them."""
    rows, labeled = np.concatenate([task.places, _pool_rows(task)]), np.arange(len(task.places))
    vectors, seed = task.material.vectors[rows], seeds.derive(task.params.seed, "guard")
    pool = PoolTask(vectors, neighbor_graph(vectors, NEIGHBORS, seed=seed), labeled, task.labels.distributions, seed)
    spread = LabelPropagation(LabelPropagation.Config.model_validate({})).pseudo_label(pool)
    said = [task.predict(model, rows).argmax(axis=1) for model in (candidate, control)]
    return guards.Answers(said[0], said[1], spread.argmax(axis=1))


def _seen(task: _Task, classifier: Classifier, manifest: Path) -> Seen:
    """What the training samples were like, for `winnow predict` to compare with."""
    modality = task.material.corpus.views.modality
    listing = read_manifest(manifest, ["split", *modality.facts.names])
    listing = listing[listing["split"] == "train"]
    drawn = seeds.numpy_generator(task.params.seed, "seen").permutation(listing.index.to_numpy(np.int64))
    rows, vectors = drawn[: KEPT + OTHERS], task.vectors(classifier)
    features = observe(classifier, task.material.corpus.samples, rows, features=True, vectors=vectors).features
    assert features is not None
    return Seen(facts=modality.summary(listing), **reference(features))


def _pool_rows(task: _Task) -> Positions:
    """Positions of a random part of the unlabeled training pictures."""
    unlabeled = np.setdiff1d(task.material.corpus.rows, np.concatenate([task.places, task.made.positions]))
    drawn = seeds.numpy_generator(task.params.seed, "pool").permutation(unlabeled)[:COMPARED]
    return np.sort(drawn)


def _write_history(path: Path, learned: list[Row], taught: list[Row]) -> None:
    rows = [{"model": name, **row} for name, own in zip(NAMES, (learned, taught), strict=True) for row in own]
    table = pd.DataFrame(rows, columns=["epoch", "model", "loss", "learning_rate"]).astype({"epoch": int})
    write_text(path, frame_to_csv(table, "%.6g"))
