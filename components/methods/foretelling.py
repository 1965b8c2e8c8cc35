"""Words foretold by what an encoder saw of a text: what language models of all kinds share."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.methods.precise import precise
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.token_encoder import Sees, TokenEncoder

CURES: dict[Sees, str] = {
    "all": "transformer with causal: false",
    "before": "transformer with causal: true, or lstm with bidirectional: false",
    "halves": "lstm with bidirectional: true",
    "itself": "attention_bag",
}


def readers(encoder: Encoder, method: str, *sees: Sees) -> TokenEncoder:
    """The encoder, where its vectors of words have seen what the method needs. Raises WinnowError where they have not.

    sees: any of them will do, the first is what to choose.
    """
    if isinstance(encoder, TokenEncoder) and encoder.sees in sees:
        return encoder
    raise WinnowError(
        f"pretrain.method '{method}' foretells words from what it has seen of a text, which "
        f"{type(encoder).__name__} as it is set does not show it: set pretrain.encoder to {CURES[sees[0]]}."
    )


class WordHead(nn.Module):
    """From vectors `(M, width)` to a score of each entry, by likeness to the encoder's own table, as BERT has it."""

    def __init__(self, width: int, table: nn.Embedding) -> None:
        super().__init__()
        symbols, inner = table.weight.shape
        self.turn = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.LayerNorm(inner))
        self.bias = nn.Parameter(torch.zeros(symbols))

    def forward(self, vectors: Tensor, table: nn.Embedding) -> Tensor:
        """`(M, width)` -> `(M, V)`."""
        return F.linear(self.turn(vectors), table.weight, self.bias)


def surprise(scores: Tensor, targets: Tensor) -> Tensor:
    """The sum over `(M,)` targets of `-log softmax(scores)` at each, scores `(M, V)`: 0 where there is none."""
    return F.cross_entropy(precise(scores), targets, reduction="sum")


def share_of(total: Tensor, count: int) -> Tensor:
    """A sum over this worker's words by the number of words, such that the mean over workers is one worker's."""
    shared = whole_batch(total.new_tensor([float(count)])).mean()
    return total / shared.clamp_min(1)


def figures(loss: Tensor, scores: Tensor, targets: Tensor, sizes: Tensor) -> dict[str, Tensor]:
    """`accuracy` of the first guess; `perplexity` of an entry; where entries' `sizes` `(V,)` in bytes are known, also
    `bits_per_byte`, which texts cut in any way have in common. loss: mean over `targets` `(M,)`, in nats.
    """
    loss = loss.detach()
    found = {"accuracy": (scores.argmax(1) == targets).double().mean().nan_to_num(), "perplexity": loss.exp()}
    if not len(sizes):
        return found
    return {**found, "bits_per_byte": loss * len(targets) / sizes[targets].sum().clamp_min(1) / math.log(2)}
