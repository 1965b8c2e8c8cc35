"""Which words decided: what is left of the odds of the model's answer when each is left out (Li et al. 2016)."""

from collections.abc import Sequence

import numpy as np

from components.datasets.sample_store import padded
from components.modalities import Array
from components.modalities.worded import Mark, Worded
from components.models.classifier import Classifier
from components.training.inference import predict

TINY = 1e-30
MOST_PARTS = 80  # of a sample; of more words several go together
MOST_MARKS = 8
LEAST = 0.05  # of the odds


def decisive_parts(classifier: Classifier, records: Sequence[Array], classes: Sequence[int]) -> list[list[Mark]]:
    """For each record its parts without which the odds of the class would be smaller, the most decisive first.

    None where the kind of data has no words, where there is only one, and where none counts `LEAST`. One part at a time
    is left out, so that of two that say the same neither may count.
    Source: Li et al. 2016, Understanding neural networks through representation erasure, section 4,
    https://arxiv.org/abs/1612.08220 (there the share of the log-likelihood that is lost; here of the odds, which show a
    difference where the model is all but certain, too).
    """
    kind = classifier.spec.encoder.inputs.kind
    if not isinstance(kind, Worded):
        return [[] for _ in records]
    return [_marks(classifier, kind, record, number) for record, number in zip(records, classes, strict=True)]


def _marks(classifier: Classifier, kind: Worded, record: Array, number: int) -> list[Mark]:
    parts = kind.parts_of(record, MOST_PARTS)
    if len(parts) < 2:
        return []
    without = (kind.without_part(record, part) for part in parts)
    said = predict(classifier, padded([record, *without])).astype(np.float64)
    odds = said[:, number] / np.maximum(np.delete(said, number, axis=1).sum(1), TINY)
    falls = 1 - odds[1:] / max(odds[0], TINY)
    order = [row for row in np.argsort(-falls, kind="stable")[:MOST_MARKS].tolist() if falls[row] >= LEAST]
    return [Mark(parts[row], round(float(falls[row]), 4)) for row in order]
