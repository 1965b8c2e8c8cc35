"""Selfie: some patches of a picture are taken out, and for each gap the right one is picked among those taken out.

Trinh, Luong & Le 2019, https://arxiv.org/abs/1906.02940.
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.patches import cut
from components.methods.precise import precise
from components.models.encoders import Encoder
from components.models.transformer_block import TransformerBlock, sine_positions

ENLARGED = 2  # patches, so that an encoder that halves sides four times is left with something of 8 pixels


class Selfie(SelfSupervisedMethod):
    """The encoder sees each patch alone; a transformer pools those that are left, and asks for each gap by its place.

    The paper's patch network is the first part of the encoder; here it is the whole encoder, which pools to one vector.
    One weak view.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """grid: patches along a side; taken: share of them taken out; width, depth, heads: of the transformer."""

        grid: int = Field(default=4, ge=2, le=16)
        taken: float = Field(default=0.25, gt=0, lt=1)
        width: int = Field(default=128, ge=4, multiple_of=4)
        depth: int = Field(default=2, ge=1)
        heads: int = Field(default=4, ge=1)

    positions: Tensor

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        if config.width % config.heads:
            raise WinnowError(f"selfie cannot share a width of {config.width} among {config.heads} heads.")
        self.encoder, self.config = encoder, config
        places = config.grid**2
        self.taken = min(places - 1, max(2, round(places * config.taken)))
        self.narrow = nn.Linear(encoder.dim, config.width)
        self.pool = nn.Parameter(torch.randn(config.width) * 0.02)
        self.register_buffer("positions", sine_positions(config.grid, config.width), persistent=False)
        self.context = nn.Sequential(*(TransformerBlock(config.width, config.heads) for _ in range(config.depth)))
        self.query = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, config.width))

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over gaps; figures: for how many the right patch was picked."""
        pictures, grid = batch.views[0], self.config.grid
        side = pictures.shape[2] // grid
        patches = cut(pictures[:, :, : side * grid, : side * grid], side)
        large = F.interpolate(patches.flatten(0, 1), scale_factor=ENLARGED, mode="bilinear")
        vectors = self.narrow(self.encoder(large)).view(*patches.shape[:2], -1)  # (B, L, W)
        order = draws.uniform(batch, grid**2).argsort(1)
        gaps, seen = order[:, : self.taken], order[:, self.taken :]
        tokens = _at(vectors, seen) + self.positions[seen]
        pooled = self.context(torch.cat([self.pool.to(tokens).expand(len(tokens), 1, -1), tokens], 1))[:, :1]
        scores = match(self.query(pooled + self.positions[gaps]), _at(vectors, gaps))
        right = torch.arange(self.taken, device=scores.device).expand(len(scores), -1)
        picked = (scores.argmax(2) == right).float().mean()
        return StepOutput(F.cross_entropy(scores.flatten(0, 1), right.flatten()), {"picked": picked})


def match(queries: Tensor, patches: Tensor) -> Tensor:
    """`(N, M, M)`: how well patch j `(N, M, W)` fits the gap of query i; row i is its logits, as in section 3.1.

    Products over sqrt(W), as in attention, so that a new network begins with even guesses.
    """
    products: Tensor = precise(queries) @ precise(patches).transpose(1, 2)
    return products / math.sqrt(queries.shape[2])


def _at(vectors: Tensor, places: Tensor) -> Tensor:
    """`(N, M, W)` of `(N, L, W)` at `(N, M)` places."""
    return vectors.gather(1, places[..., None].expand(-1, -1, vectors.shape[2]))
