"""Query synthesis: pictures that a generator makes where the model cannot tell two classes apart.

Halving the line between two pictures of different classes until they meet at the boundary: Wang, Hu, Yuan & Lu 2015,
https://doi.org/10.1016/j.neucom.2014.06.042 (section 3), there on vectors; here on the codes of a generator, as in Zhu
& Bento 2017, https://arxiv.org/abs/1702.07956, who follow a gradient.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.methods.clusters import nearest, unit
from components.methods.contracts import Floats, GenerativeMethod, Positions
from components.models.classifier import Classifier
from components.training.inference import observe
from components.training.precision import choose_device

Array = npt.NDArray[Any]
HALVINGS = 16
CANDIDATES = 8  # made for each one that is kept
BATCH = 512


@dataclass(frozen=True)
class Synthetic:
    """`S` made pictures, the most natural first.

    pictures: `(S, C, H, W)` uint8; of the model: probabilities `(S, K)` and features `(S, F)`, which its head sees.
    """

    pictures: Array
    probabilities: Floats
    features: Floats


def synthesize(
    method: GenerativeMethod, classifier: Classifier, real: Array, count: int, generator: torch.Generator
) -> Synthetic:
    """At most `count` pictures on the boundaries between classes; fewer where the model tells too few classes apart.

    real: `(R, C, H, W)` pictures of the pool; their codes are where the lines begin and end. Of `CANDIDATES` times as
    many made pictures those are kept that look most like a real one to the model, in turns over the pairs of classes.
    Both networks are left in evaluation mode.
    """
    made = _at_boundary(method.eval(), classifier.eval(), real, CANDIDATES * count, generator)
    seen, known = observe(classifier, made, features=True), observe(classifier, real, features=True)
    assert seen.features is not None
    assert known.features is not None
    similarity = nearest(unit(seen.features), unit(known.features))[0].numpy()
    kept = _in_turns(np.sort(np.argsort(-seen.probabilities, 1)[:, :2], 1), similarity)[:count]
    return Synthetic(made[kept], seen.probabilities[kept], seen.features[kept])


def _at_boundary(
    method: GenerativeMethod, classifier: Classifier, real: Array, count: int, generator: torch.Generator
) -> Array:
    """`(at most count, C, H, W)`: the last picture of its class on a line of codes from one class into another."""
    inputs, device = classifier.spec.encoder.inputs, choose_device()
    plain, kind = inputs.plain, inputs.kind
    method.to(device)
    classifier.to(device)

    def pictures(codes: Tensor) -> Array:
        parts = [kind.restore(method.decode(part), inputs.statistics) for part in torch.split(codes, BATCH)]
        return np.concatenate(parts) if parts else real[:0]

    def classes(codes: Tensor) -> Tensor:
        return torch.from_numpy(observe(classifier, pictures(codes)).probabilities.argmax(1)).to(device)

    with torch.inference_mode():
        chosen = torch.randint(len(real), (4 * count,), generator=generator).numpy()
        given = torch.split(torch.from_numpy(real[chosen]).to(device), BATCH)
        codes = torch.cat([method.codes(plain(part), generator) for part in given])
        here, there = codes.chunk(2)
        start = classes(here)
        differ = (start != classes(there)).nonzero()[:count, 0]
        here, there, start = here[differ], there[differ], start[differ]
        for _ in range(HALVINGS):
            middle = (here + there) / 2
            same = (classes(middle) == start)[:, None]
            here, there = torch.where(same, middle, here), torch.where(same, there, middle)
        return pictures(here)


def _in_turns(pairs: npt.NDArray[np.intp], similarity: Floats) -> Positions:
    """All rows: the best of every pair of classes, then the second best of every pair, and so on."""
    order = np.argsort(-similarity, kind="stable")
    turns, met = np.empty(len(order), np.int64), dict[tuple[int, ...], int]()
    for row in order.tolist():
        pair = tuple(pairs[row].tolist())
        turns[row] = met[pair] = met.get(pair, -1) + 1
    return order[np.argsort(turns[order], kind="stable")]
