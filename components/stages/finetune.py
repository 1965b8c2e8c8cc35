"""finetune: the encoder becomes a classifier, with pseudo-labels and without; the guard says which one ships."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from components.core import seeds
from components.core.config import StageParams
from components.core.errors import WinnowError
from components.core.files import sha256, write_text
from components.core.plugins import load
from components.core.spreadsheet import frame_to_csv
from components.datasets.labels import read_labels
from components.datasets.manifest import positions_of, read_manifest, rows_of
from components.datasets.sample_store import open_samples
from components.datasets.vectors import open_vectors
from components.judging import guard as guards
from components.judging.calibration import apply_temperature, fit_temperature, match_temperature
from components.judging.second_control import Opinion
from components.methods.contracts import Floats, Positions
from components.modalities.views import read_views
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import load_encoder
from components.models.seen import COMPARED as OTHERS
from components.models.seen import KEPT, Seen, reference
from components.training.adapt import Examples, Material
from components.training.corpus import Corpus
from components.training.few_steps import few_steps
from components.training.held_out_sets import held_out_sets
from components.training.inference import observe
from components.training.label_task import NAMES, LabelTask, Settings
from components.training.loop import LoopConfig, Row
from components.training.made_samples import add_made_samples
from components.training.neighbors_say import neighbors_say
from components.training.second_opinion import second_opinion


class Params(StageParams, Settings):
    """The `finetune` block."""

    def unused(self) -> dict[str, str]:
        """As the base says: what only steps of training use, where there are none."""
        steps = {*LoopConfig.model_fields, "labeled_share", "guard_epochs"}
        if load("adaptation", self.method.name, where="finetune.method").frozen_encoder:
            return dict.fromkeys(steps, f"finetune.method '{self.method.name}' solves a head and trains nothing else")
        if not self.epochs and not self.guard_epochs:
            why = "finetune.epochs and guard_epochs are 0, so that a head is solved and nothing else trained"
            return dict.fromkeys(steps - {"epochs", "guard_epochs"}, why)
        return {}


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
    candidate: Path,
    guard: Path,
    second_control: Path,
    history: Path,
) -> dict[str, float]:
    """Train candidate and control, judge them, write the one that ships as `model`, and both of them.

    Held-out evidence comes from fold trainings: fold f's candidate sees neither the labels of f nor pseudo-labels made
    with them. Each model's temperature and the threshold of its prediction sets are fitted on the same predictions.
    """
    seeds.deterministic(params.threads)
    task = _read(params, manifest, samples, policy, encoder, embeddings, labels, synthetic_labels, pseudo_labels)
    held = np.flatnonzero(task.labels.folds >= 0)
    answers = task.labels.distributions[held]
    raw, actual = _held_out(task, held), answers.argmax(axis=1)
    temperatures = [fit_temperature(probabilities, answers) for probabilities in raw]
    scaled = [apply_temperature(rows, by) for rows, by in zip(raw, temperatures, strict=True)]
    (learned, rows), (alone, taught) = _final(task, held, temperatures, scaled)
    for path, one in ((candidate, learned), (control, alone)):
        save_classifier(path, one)
    judged = _judged(task, learned, alone, scaled, actual)
    shipped, verdict, opinion = _against_second(task, held, (learned, alone), scaled, judged)
    save_classifier(model, _remembering(task, shipped, manifest))
    for path, found in ((guard, verdict), (second_control, opinion)):
        write_text(path, json.dumps(found.record(), indent=2, sort_keys=True) + "\n")
    _write_history(history, rows, taught)
    return {
        "shipped_pseudo_labels": float(verdict.shipped == "pseudo_labels"),
        "held_out_labels": float(len(held)),
        **{name: float(getattr(verdict, name)) for name in ("candidate_right", "control_right")},
    }


def _against_second(
    task: LabelTask,
    held: Positions,
    pair: tuple[Classifier, Classifier],
    probabilities: list[Floats],
    verdict: guards.Verdict,
) -> tuple[Classifier, guards.Verdict, Opinion]:
    """What ships once the guard's choice of the pair was held against a second control.

    probabilities: `(H, K)` of the held-out labels, by each of the pair.
    """
    number = 0 if verdict.shipped == "pseudo_labels" else 1
    first, said = pair[number], probabilities[number]
    right = said.argmax(axis=1) == task.labels.distributions[held].argmax(axis=1)
    opinion, rival = second_opinion(task, held, right)
    if rival is None:
        return first, verdict, opinion
    return rival, replace(verdict, shipped=opinion.kind or verdict.shipped, why=opinion.why), opinion


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
) -> LabelTask:
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
    return LabelTask(params, params.seed, material, labeled, places, ids, pseudo_labels, spec, made, sha256(embeddings))


def _held_out(task: LabelTask, held: Positions) -> tuple[Floats, Floats]:
    """Probabilities `(H, K)` of the held-out labels by candidate and control, each from a training without its fold."""
    folds = task.labels.folds[held]
    both = np.zeros((2, len(held), task.material.classes), np.float32)
    loop = task.params.loop.model_copy(update={"epochs": task.params.guard_epochs})
    for fold in np.unique(folds).tolist():
        mine = folds == fold
        for number, examples in enumerate(task.examples(fold)):
            classifier, _ = task.train(examples, loop, name=f"fold {fold}")
            both[number, mine] = task.predict(classifier, task.places[held[mine]])
    return both[0], both[1]


def _final(
    task: LabelTask, held: Positions, temperatures: list[float], scaled: list[Floats]
) -> list[tuple[Classifier, list[Row]]]:
    """Candidate and control on everything, with their histories; one and the same where no pseudo-label is accepted."""
    examples = task.examples(-1)
    names = NAMES if len(examples[0].positions) > len(examples[1].positions) else NAMES[1:]
    trained = []
    for name in names:
        number = NAMES.index(name)
        classifier, rows = task.train(examples[number], task.params.loop, name=name)
        few = few_steps(task.params.loop, int(examples[number].repeats.sum()))
        if few and len(rows) > 1 and name == names[0]:
            print(f"  finetune: {few}", file=sys.stderr)
        temperature = temperatures[number]
        if len(rows) > 1 and not task.params.guard_epochs and (task.labels.folds >= 0).any():
            temperature = _carried_over(task, classifier, examples[number], temperature)
        classifier.spec = classifier.spec.model_copy(update={"temperature": temperature})
        sets = held_out_sets(task, held, scaled[number], classifier)
        classifier.spec = classifier.spec.model_copy(update={"sets": sets})
        trained.append((classifier, rows))
    return trained if len(trained) > 1 else [(trained[0][0], []), trained[0]]


def _carried_over(task: LabelTask, classifier: Classifier, examples: Examples, temperature: float) -> float:
    """The temperature for a fine-tuned encoder where `temperature` was fitted on heads of the unchanged one.

    Fine-tuning changes the scale of logits, so what is carried over is the mean confidence on the unlabeled pool; where
    nothing is unlabeled, the temperature as it is.
    """
    if not len(rows := task.pool_rows()):
        return temperature
    head, _ = task.train(examples, task.params.loop.model_copy(update={"epochs": 0}), name="head")
    target = apply_temperature(task.predict(head, rows), temperature).max(axis=1).mean()
    return match_temperature(task.predict(classifier, rows), float(target))


def _judged(
    task: LabelTask, candidate: Classifier, control: Classifier, probabilities: list[Floats], actual: Positions
) -> guards.Verdict:
    """By the held-out labels `actual` `(H,)` and what each model said of them, `(H, K)`."""
    if candidate is control:
        return guards.nothing_to_judge()
    if task.labels.ruled and not len(actual):
        return guards.nobody_to_judge()
    said = [rows.argmax(axis=1) for rows in probabilities]
    held_out = guards.Answers(said[0], said[1], actual)
    level, third = task.params.guard_level, task.params.guard_third
    return guards.judge(held_out, *neighbors_say(task, candidate, control), level=level, third=third)


def _remembering(task: LabelTask, classifier: Classifier, manifest: Path) -> Classifier:
    """With what the training samples were like, for `winnow predict` to compare with."""
    modality = task.material.corpus.views.modality
    listing = read_manifest(manifest, ["split", *modality.facts.names])
    listing = listing[listing["split"] == "train"]
    drawn = seeds.numpy_generator(task.seed, "seen").permutation(listing.index.to_numpy(np.int64))
    rows, vectors = drawn[: KEPT + OTHERS], task.vectors(classifier)
    features = observe(classifier, task.material.corpus.samples, rows, features=True, vectors=vectors).features
    assert features is not None
    seen = Seen(facts=modality.summary(listing), **reference(features))
    classifier.spec = classifier.spec.model_copy(update={"seen": seen})
    return classifier


def _write_history(path: Path, learned: list[Row], taught: list[Row]) -> None:
    rows = [{"model": name, **row} for name, own in zip(NAMES, (learned, taught), strict=True) for row in own]
    table = pd.DataFrame(rows, columns=["epoch", "model", "loss", "learning_rate"]).astype({"epoch": int})
    write_text(path, frame_to_csv(table, "%.6g"))
