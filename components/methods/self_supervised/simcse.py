"""SimCSE: a text seen twice, each time through other dropout, is closer to itself than to the other texts of the batch.

Gao, Yao & Chen 2021, https://arxiv.org/abs/2104.08821
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core import seeds
from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.foretelling import readers
from components.methods.info_nce import Negatives, info_nce
from components.methods.keyed_dropout import encoded
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.token_encoder import TokenEncoder, by_length, known


class SimCSE(SelfSupervisedMethod):
    """The unsupervised kind: dropout is the only view. What it draws is a function of seed, epoch, step and sample.

    Numbers are dropped of the words' vectors and of what leaves each block, where the paper's network has its dropout
    within the blocks.
    """

    fits = ("tokens",)
    views = ("weak",)
    encoder: TokenEncoder

    class Config(BaseConfig):
        """temperature: of the softmax over cosines; dropout: share of the numbers left out (both: the paper's)."""

        temperature: float = Field(default=0.05, ge=0.03)
        dropout: float = Field(default=0.1, gt=0, lt=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder = readers(encoder, "simcse", "all", "before", "halves", "itself")
        self.config = config
        self.head = nn.Sequential(nn.Linear(encoder.dim, encoder.dim), nn.Tanh())

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head, which is for training alone."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """Equation 4 over all workers' samples."""
        drawn = int(torch.randint(2**62, (1,), generator=batch.generator))
        first, second = (
            whole_batch(self.head(self._seen(batch.views[0], batch.keys, seeds.derive(drawn, view)))) for view in (0, 1)
        )
        return StepOutput(simcse_loss(first, second, self.config.temperature))

    def _seen(self, views: Tensor, keys: Tensor, seed: int) -> Tensor:
        """`(B, dim)` vectors of the texts through the dropout of this seed."""
        encoder, rate = self.encoder, self.config.dropout

        def seen(part: Tensor, rows: Tensor) -> Tensor:
            return encoder.pool(encoded(encoder, part, rate, seed, keys.to(rows.device)[rows]), known(part))

        return by_length(seen, views)


def simcse_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Mean over texts of `-log(exp(s_ii / T) / sum_j exp(s_ij / T))`, `s_ij` the cosine of first i and second j.

    first, second: `(N, D)`, row i of both of the same text.
    """
    others = ~torch.eye(len(first), dtype=torch.bool, device=first.device)
    return info_nce(first, second, Negatives(second, others), temperature)
