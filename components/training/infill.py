"""Texts of which a masked language model guesses some words anew, each drawn from what it thinks likely there.

Wu et al. 2019, Conditional BERT contextual augmentation, https://arxiv.org/abs/1812.06705, without labels.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.core.seeds import derive, uniform
from components.datasets.sample_store import Samples, padded
from components.methods.self_supervised.masked_lm import FIRST, UNKNOWN, MaskedLM
from components.modalities import Array
from components.modalities.views import Views
from components.models.likely import drawn
from components.training.precision import choose_device

BATCH = 64
AMONG = 10  # guesses that are drawn from


@torch.inference_mode()
def infill(
    model: MaskedLM,
    views: Views,
    samples: Samples,
    rows: npt.NDArray[np.int64],
    *,
    share: float,
    versions: int,
    seed: int,
) -> list[Array]:
    """`versions` arrays of records `(M, *)`, of the samples at `rows` `(M,)` as the model's vocabulary says them.

    share: of the words, chosen by chance, that are hidden at once and guessed; of each text one at least. What becomes
    of a text is a function of seed, version and its row alone.
    """
    device = choose_device()
    model.to(device).eval()
    found: list[list[Array]] = [[] for _ in range(versions)]
    for start in range(0, len(rows), BATCH):
        keys = rows[start : start + BATCH]
        tokens = views.plain(torch.from_numpy(np.asarray(samples[keys]))).to(device)
        for version, several in enumerate(found):
            lots = torch.from_numpy(uniform(derive(seed, "infill", version), keys, 2 * tokens.shape[1])).to(device)
            several += [row[row != 0] for row in views.restore(_guessed(model, tokens, lots, share))]
    return [padded(several) for several in found]


def _guessed(model: MaskedLM, tokens: Tensor, lots: Tensor, share: float) -> Tensor:
    """Numbers `(B, L)`, those chosen replaced; lots `(B, 2 L)`."""
    first = lots[:, ::2].masked_fill(tokens < FIRST, 2)
    chosen = (tokens >= FIRST) & ((first < share) | (first == first.min(1, keepdim=True).values))
    seen = torch.where(chosen, UNKNOWN, tokens)
    scores = model.head(model.encoder.read(seen)[chosen], model.encoder.table).float()
    scores[:, :FIRST] = -torch.inf
    said = tokens.clone()
    said[chosen] = drawn(scores, lots[:, 1::2][chosen], AMONG)
    return said
