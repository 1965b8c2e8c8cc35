"""What others than the two models say of samples: labels spread over neighbors, by vectors and by simple features."""

import numpy as np

from components.core import seeds
from components.judging import guard
from components.judging.baselines import simple_features
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import Floats, PoolTask, Positions
from components.methods.semi_supervised.label_propagation import LabelPropagation
from components.models.classifier import Classifier
from components.training.label_task import LabelTask

NEIGHBORS = 10


def neighbors_say(
    task: LabelTask, candidate: Classifier, control: Classifier
) -> tuple[guard.Answers, guard.Answers | None]:
    """What both models say of the labeled samples and a random part of the rest, and labels spread over all of them:
    over the encoder's vectors, and over the kind of data's simple features, None where it has none.
    """
    if task.labels.ruled:  # some class has no label but rules', which are truth to nobody
        return guard.Answers(*np.zeros((3, 0), np.int64)), None
    rows = np.concatenate([task.places, task.pool_rows()])
    said = [task.predict(model, rows).argmax(axis=1) for model in (candidate, control)]
    plain = plain_features(task, rows)
    by_vectors = guard.Answers(said[0], said[1], _spread(task, task.material.vectors[rows]))
    return by_vectors, None if plain is None else guard.Answers(said[0], said[1], _spread(task, plain))


def plain_features(task: LabelTask, rows: Positions) -> Floats | None:
    """`(N, F)`: the simple features beside each other, around 0 and each kind of them as far from it; None: no kind."""
    corpus = task.material.corpus
    found = simple_features(corpus.views.modality, corpus.samples, rows)
    parts = [values - values.mean(axis=0) for values in found.values()]
    lengths = [max(float(np.linalg.norm(part, axis=1).mean()), 1e-9) for part in parts]
    return np.concatenate([part / far for part, far in zip(parts, lengths, strict=True)], 1) if parts else None


def _spread(task: LabelTask, vectors: Floats) -> Positions:
    labeled, seed = np.arange(len(task.places)), seeds.derive(task.seed, "guard")
    pool = PoolTask(vectors, neighbor_graph(vectors, NEIGHBORS, seed=seed), labeled, task.labels.distributions, seed)
    found = LabelPropagation(LabelPropagation.Config.model_validate({})).pseudo_label(pool)
    return np.asarray(found.argmax(axis=1), np.int64)
