"""Learning from few labels, with pseudo-labels or without: what each training is given, and the training itself."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from components.core import progress, seeds
from components.core.config import PluginChoice
from components.datasets.labels import Labels
from components.datasets.manifest import rows_of
from components.datasets.pseudo_labels import read_pseudo_labels
from components.judging import guard
from components.judging.second_control import Choice
from components.methods.contracts import Floats, Positions
from components.models.additions import Additions
from components.models.classifier import Classifier, ClassifierSpec
from components.models.prediction_sets import SetSettings
from components.training.adapt import Examples, Material, adapt
from components.training.inference import predict
from components.training.loop import LoopConfig, Row

COMPARED = 2000  # unlabeled samples the guard looks at
NAMES = ("candidate", "control")  # learned from labels and pseudo-labels, and from labels alone


class Settings(LoopConfig):
    """The method, the loop's settings and what pseudo-labels count.

    pseudo_weight: weight of a fully confident pseudo-label, a label's being 1; labeled_share: labels are repeated until
    they are this share of an epoch; guard_epochs: of each held-out fold's two trainings, 0 compares solved heads only;
    guard_level, guard_third: of the guard's tests, and whether neighbors by simple features count, see `guard.judge`.
    second_control: whether what ships is held against simpler means, see `second_opinion`; auto: where that is cheap.
    sets: of the prediction sets, whose threshold is found on the same held-out labels; None: there are none.
    """

    method: PluginChoice
    pseudo_weight: float = Field(default=1.0, gt=0)
    labeled_share: float = Field(default=0.25, gt=0, lt=1)
    guard_epochs: int = Field(default=0, ge=0)
    guard_level: float = Field(default=guard.LEVEL, gt=0, lt=1)
    guard_third: bool = False
    second_control: Choice = "auto"
    sets: SetSettings | None = SetSettings()

    @property
    def loop(self) -> LoopConfig:
        """The settings that are the loop's."""
        return LoopConfig(**self.model_dump(include=set(LoopConfig.model_fields)))


@dataclass(frozen=True)
class LabelTask:
    """What all trainings on the same labels share.

    places: `(L,)` positions of the labels; ids: of all samples, by position; made: labeled samples that no store holds,
    which both models learn from in every training; embedded: sha256 of the vectors.
    """

    params: Settings
    seed: int
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

    def examples(self, fold: int) -> tuple[Examples, Examples]:
        """What candidate and control learn from when the labels of `fold` are held out (-1: none are)."""
        params = self.params
        guessed = read_pseudo_labels(self.pseudo_labels, fold)
        kept = np.flatnonzero((self.labels.folds != fold) | (fold < 0))
        standing = set(self.labels.ids[len(self.labels.ids) - self.labels.ruled :])  # rules' votes, labeled already
        accepted = np.array([row for row in np.flatnonzero(guessed.accepted) if guessed.ids[row] not in standing], int)
        share = params.labeled_share / (1 - params.labeled_share)
        given = Examples(
            positions=self.places[kept],
            targets=self.labels.distributions[kept],
            weights=np.ones(len(kept), np.float32),
            repeats=np.ones(len(kept), np.int64),
        ).joined(self.made)
        repeats = math.ceil(max(params.batch_size, share * len(accepted)) / len(given.positions))
        control = replace(given, repeats=repeats * given.repeats)
        extra = Examples(
            positions=rows_of([guessed.ids[row] for row in accepted], self.ids, str(self.pseudo_labels)),
            targets=guessed.distributions[accepted],
            weights=params.pseudo_weight * guessed.confidence[accepted],
            repeats=np.ones(len(accepted), np.int64),
        )
        return control.joined(extra), control

    def train(self, examples: Examples, loop: LoopConfig, *, name: str) -> tuple[Classifier, list[Row]]:
        """A classifier and its history, a single row where only a head was solved. name: of `NAMES`, to be shown."""

        def report(epoch: int, row: Row) -> None:
            if name in NAMES:
                progress.report_epoch(epoch, {f"{name}_loss": row["loss"]}, total=loop.epochs)

        seed = seeds.derive(self.seed, "finetune")  # the same for candidate and control: they differ in data alone
        method, rows = adapt(self.params.method, self.material, examples, loop, seed=seed, on_epoch=report)
        encoder = self.spec.encoder.model_copy(update={"additions": method.encoder.additions})
        unchanged = len(rows) == 1 and method.encoder.additions.model_copy(update={"odds": 0}) == Additions()
        embedded = self.embedded if unchanged else ""
        spec = self.spec.model_copy(update={"encoder": encoder, "dropout": method.dropout, "embedded": embedded})
        return Classifier(method.encoder, method.head, spec), rows

    def pool_rows(self) -> Positions:
        """Positions of a random part of the unlabeled training samples."""
        unlabeled = np.setdiff1d(self.material.corpus.rows, np.concatenate([self.places, self.made.positions]))
        drawn = seeds.numpy_generator(self.seed, "pool").permutation(unlabeled)[:COMPARED]
        return np.sort(drawn)
