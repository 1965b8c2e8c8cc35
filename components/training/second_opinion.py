"""The second control, trained where it is due: from scratch on the same labels, or a probe of weights as given."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from components.core import seeds
from components.core.config import PluginChoice
from components.core.plugins import load
from components.judging import second_control as second
from components.judging.calibration import apply_temperature, fit_temperature
from components.methods.contracts import Positions
from components.models.classifier import Classifier
from components.training.from_scratch import CHEAP, VIEW, numbers_seen, train_from_scratch
from components.training.held_out_sets import held_out_sets
from components.training.label_task import LabelTask

PROBE = PluginChoice.model_validate({"name": "linear_probe", "l2": "chosen", "balanced": True})


def _second_kind(task: LabelTask) -> second.Kind:
    """`scratch`: the same network without pretraining; `probe`: given weights as they are, where a method adapts them.

    Given weights under a solved head need none: the label-only control is that.
    """
    given, encoder = task.params, task.spec.encoder
    frozen = load("adaptation", given.method.name, where="finetune.method").frozen_encoder
    if given.second_control == "off" or (encoder.origin and (frozen or not given.epochs)):
        return ""
    return "probe" if encoder.origin else "scratch"


def second_opinion(
    task: LabelTask, held: Positions, first: npt.NDArray[np.bool_]
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
    rival.spec = rival.spec.model_copy(update={"temperature": temperature})
    sets = held_out_sets(task, held, apply_temperature(said, temperature), rival)
    rival.spec = rival.spec.model_copy(update={"sets": sets})
    return opinion, rival


def _why_no_second(task: LabelTask, kind: second.Kind, held: Positions) -> str:
    """Why a second control cannot be judged, or costs too much to be trained unasked; nothing where it can."""
    given, trainings = task.params, len(np.unique(task.labels.folds[held])) + 1
    if not len(held):
        return "no label could be held out"
    solved = load("adaptation", given.method.name, where="finetune.method").frozen_encoder or not given.epochs
    if not solved and not given.guard_epochs:
        return "finetune.guard_epochs is 0, so that no held-out label says what the adaptation comes to"
    if kind == "scratch" and VIEW not in task.material.corpus.views:
        return f"it learns under augment.policies.{VIEW}, which is not there"
    cost = numbers_seen(task.spec.encoder, trainings, len(task.places))
    if kind == "scratch" and given.second_control == "auto" and cost > CHEAP:
        return "from scratch it would take long; finetune.second_control: on trains it all the same"
    return ""


def _from_scratch(task: LabelTask, fold: int) -> Classifier:
    examples, spec = task.examples(fold)[1], task.spec.model_copy(update={"method": "full"})
    seed = seeds.derive(task.seed, "finetune")
    found = train_from_scratch(spec.encoder, task.material.corpus, examples, task.material.classes, seed=seed)
    return Classifier(*found, spec)


def _probe(task: LabelTask, fold: int) -> Classifier:
    params = task.params.model_copy(update={"method": PROBE})
    spec = task.spec.model_copy(update={"method": PROBE.name})
    return replace(task, params=params, spec=spec).train(task.examples(fold)[1], params.loop, name="probe")[0]
