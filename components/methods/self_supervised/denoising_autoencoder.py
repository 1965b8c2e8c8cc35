"""Denoising autoencoder: from a damaged picture, the picture as it was.

Vincent et al. 2010, https://www.jmlr.org/papers/v11/vincent10a.html.
"""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.precise import precise
from components.models.decoder import Decoder
from components.models.encoders import Encoder


class DenoisingAutoencoder(SelfSupervisedMethod):
    """An encoder that sees the damaged picture, and a decoder that is thrown away after pretraining.

    All layers are trained at once; the paper, before batch norm, stacks them one by one.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """masking: share of the pixels hidden; gaussian: deviation of the noise, where that of the pixels is 1.

        Both 0 is the plain autoencoder; the paper tries 0.1 to 0.4 and 0.05 to 0.5. width: of the decoder's last layer
        but one.
        """

        masking: float = Field(default=0.25, ge=0, lt=1)
        gaussian: float = Field(default=0.5, ge=0)
        width: int = Field(default=32, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.decoder = Decoder(encoder.dim, encoder.shape, config.width)

    def training_step(self, batch: Batch) -> StepOutput:
        """Mean squared error of the undamaged pixels."""
        return StepOutput(squared_error(self.decoder(self.encoder(self._damaged(batch))), batch.views[0]))

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures, what the encoder sees of them, and what comes back."""
        damaged = self._damaged(Batch([pictures], generator=generator))
        return {"originals": pictures, "corrupted": damaged, "reconstructions": self.decoder(self.encoder(damaged))}

    def _damaged(self, batch: Batch) -> Tensor:
        pictures = batch.views[0]
        noise, lottery = draws.normal(batch, *pictures.shape[1:]), draws.uniform(batch, 1, *pictures.shape[2:])
        return corrupted(
            pictures, noise.to(pictures), lottery, gaussian=self.config.gaussian, masking=self.config.masking
        )


def corrupted(pictures: Tensor, noise: Tensor, lottery: Tensor, *, gaussian: float, masking: float) -> Tensor:
    """`(N, C, S, S)` pictures under `gaussian` times the noise, then 0, the mean color, where `lottery` < `masking`.

    noise: standard normal, of the pictures' shape; lottery: `(N, 1, S, S)` in [0, 1). The paper's section 3.3, where a
    hidden pixel is black; a pixel's channels are hidden together, or one would give away the others.
    """
    return (pictures + gaussian * noise).masked_fill(lottery < masking, 0)


def squared_error(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Mean over samples and pixels of the squared difference: the paper's loss for real values (section 2.2)."""
    return F.mse_loss(precise(decoded), precise(pictures))
