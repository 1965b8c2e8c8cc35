"""Masked autoencoder: the transformer sees a quarter of the patches, and a light decoder paints those it did not see.

He et al. 2022, https://arxiv.org/abs/2111.06377.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.patches import cut, join
from components.models.encoders import Encoder
from components.models.encoders.vit_small import VitSmall
from components.models.transformer_block import TransformerBlock, sine_positions


class MAE(SelfSupervisedMethod):
    """A `vit_small` that never sees a hidden patch, and a decoder that sees a mask token in the place of each.

    One weak view: the paper crops and mirrors, and found stronger changes to do harm.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """masked: share of the patches hidden; normalized: targets are patches of mean 0 and deviation 1 each.

        width, depth, heads: of the decoder, which the paper's best has at 512, 8 and 16 for an encoder 1,024 wide.
        """

        masked: float = Field(default=0.75, gt=0, lt=1)
        normalized: bool = True
        width: int = Field(default=64, ge=4, multiple_of=4)
        depth: int = Field(default=2, ge=1)
        heads: int = Field(default=4, ge=1)

    positions: Tensor

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        if not isinstance(encoder, VitSmall):
            raise WinnowError("mae hides patches from the encoder, so it needs a transformer: choose vit_small.")
        if config.width % config.heads:
            raise WinnowError(f"mae cannot share a width of {config.width} among {config.heads} heads.")
        self.encoder: VitSmall = encoder
        self.config = config
        channels, size, _ = encoder.shape
        self.places = (size // encoder.patch) ** 2
        self.visible = min(self.places - 1, max(1, round(self.places * (1 - config.masked))))
        self.narrow = nn.Linear(encoder.dim, config.width)
        self.mask_token = nn.Parameter(torch.randn(config.width) * 0.02)
        self.register_buffer("positions", sine_positions(size // encoder.patch, config.width), persistent=False)
        self.decoder = nn.Sequential(*(TransformerBlock(config.width, config.heads) for _ in range(config.depth)))
        self.paint = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, channels * encoder.patch**2))

    def training_step(self, batch: Batch) -> StepOutput:
        """The error over the hidden patches."""
        order, painted = self._paint(batch)
        targets = cut(batch.views[0], self.encoder.patch).flatten(2)
        return StepOutput(hidden_error(painted, targets, order[:, self.visible :], normalized=self.config.normalized))

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures with patches hidden, and with what is painted there (given its patch's mean and deviation)."""
        order, painted = self._paint(Batch([pictures], generator=generator))
        patches = cut(pictures, self.encoder.patch)
        flat = patches.flatten(2)
        if self.config.normalized:
            mean, deviation = _statistics(flat)
            painted = painted * deviation + mean
        seen = torch.zeros(order.shape, dtype=torch.bool, device=order.device)
        seen = seen.scatter(1, order[:, : self.visible], True)[..., None]
        captions = {"hidden": torch.zeros_like(flat), "painted": painted.to(flat.dtype)}
        return {caption: join(torch.where(seen, flat, made).view_as(patches)) for caption, made in captions.items()}

    def _paint(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """An order of each picture's patches, `(B, L)`, visible ones first; all patches painted, `(B, L, C P P)`."""
        order = draws.uniform(batch, self.places).argsort(1)
        seen = order[:, : self.visible, None]
        tokens = self.encoder.embed(batch.views[0])
        vectors = self.narrow(self.encoder.encode(tokens.gather(1, seen.expand(-1, -1, tokens.shape[2]))))
        canvas = self.mask_token.to(vectors.dtype).expand(*order.shape, -1)
        canvas = canvas.scatter(1, seen.expand(-1, -1, vectors.shape[2]), vectors)
        painted: Tensor = self.paint(self.decoder(canvas + self.positions))
        return order, painted


def hidden_error(painted: Tensor, targets: Tensor, hidden: Tensor, *, normalized: bool) -> Tensor:
    """Mean squared error over hidden patches alone (the paper's section 3).

    painted, targets: `(N, L, D)` flat patches; hidden: `(N, M)` places, as many in every picture. normalized: targets
    less their patch's mean, over its deviation; flat patches become 0.
    """
    precise = torch.promote_types(targets.dtype, torch.float32)
    painted, targets = painted.to(precise), targets.to(precise)
    if normalized:
        mean, deviation = _statistics(targets)
        targets = (targets - mean) / deviation
    places = hidden[..., None].expand(-1, -1, targets.shape[2])
    return (painted.gather(1, places) - targets.gather(1, places)).square().mean()


def _statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    variance, mean = torch.var_mean(patches, 2, keepdim=True)
    return mean, torch.sqrt(variance + 1e-6)
