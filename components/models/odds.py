"""What a text's words say of each class, beside its encoder's vector: one more column a class, the mean over words."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.models.encoders import Encoder

FIRST = 2  # number of the first entry that is one: before it the end of a text and an entry unknown


def add_odds(encoder: Encoder, classes: int) -> nn.Embedding:
    """Put `classes` columns behind the vectors of an encoder of tokens: the mean of `odds` `(V, classes)` over a text's
    entries, 0 at first; its other weights keep their names, and its `dim` grows. Returns `odds`.
    """
    odds = nn.Embedding(encoder.given.symbols, classes).requires_grad_(False)
    nn.init.zeros_(odds.weight)
    encoder.odds = odds
    encoder.register_forward_hook(_beside)
    encoder.dim += classes
    encoder.additions = encoder.additions.model_copy(update={"odds": classes})
    return odds


def mean_odds(odds: Tensor, views: Tensor) -> Tensor:
    """Numbers of entries `(N, T)` -> `(N, classes)`, of `odds` `(V, classes)` that are 0 before `FIRST`."""
    known = (views >= FIRST).sum(1, keepdim=True).clamp_min(1)
    return F.embedding_bag(views, odds, mode="sum") / known


def beside(encoder: nn.Module, vectors: Tensor, views: Callable[[], Tensor]) -> Tensor:
    """What an encoder gives, of what it gave before odds were added, if any were; views: asked for where needed."""
    odds = getattr(encoder, "odds", None)
    return vectors if odds is None else torch.cat([vectors, mean_odds(odds.weight, views()).to(vectors.dtype)], 1)


def _beside(encoder: nn.Module, inputs: tuple[Tensor, ...], vectors: Tensor) -> Tensor:
    return beside(encoder, vectors, lambda: inputs[0])
