"""Context encoder: squares of the picture are hidden, and a decoder paints them anew from what the encoder saw.

Pathak et al. 2016, https://arxiv.org/abs/1604.07379.
"""

import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.models.decoder import Decoder
from components.models.encoders import Encoder


class Inpainting(SelfSupervisedMethod):
    """An encoder, a decoder, and the masked squared error; one weak view.

    The adversarial part is left out, as in the paper where it is about what the encoder learns (section 5.2): it makes
    sharper pictures. What is hidden shows the training split's mean color.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """squares: how many are hidden, anywhere, overlaps allowed; side: of each, as a share of the picture's.

        width: channels of the decoder's last layer but one. The paper hides up to a quarter of the picture.
        """

        squares: int = Field(default=1, ge=1)
        side: float = Field(default=0.5, gt=0, lt=1)
        width: int = Field(default=16, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.decoder = Decoder(encoder.dim, encoder.shape, config.width)

    def training_step(self, batch: Batch) -> StepOutput:
        """The error over what was hidden of each picture."""
        hidden, painted = self._paint(batch)
        return StepOutput(masked_error(painted, batch.views[0], hidden))

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures with squares hidden, and with what is painted there."""
        hidden, painted = self._paint(Batch([pictures], generator=generator))
        return {
            "hidden": torch.where(hidden, torch.zeros_like(pictures), pictures),
            "painted": torch.where(hidden, painted.to(pictures.dtype), pictures),
        }

    def _paint(self, batch: Batch) -> tuple[Tensor, Tensor]:
        pictures = batch.views[0]
        size = pictures.shape[2]
        hidden = hidden_squares(
            draws.uniform(batch, self.config.squares, 2), size, max(1, round(self.config.side * size))
        )
        painted: Tensor = self.decoder(self.encoder(pictures.masked_fill(hidden, 0.0)))
        return hidden, painted


def hidden_squares(places: Tensor, size: int, side: int) -> Tensor:
    """`(N, 1, size, size)` booleans, True within K squares of `side` pixels, each wholly inside.

    places: `(N, K, 2)` in [0, 1), from the first row or column that a square may begin at to the last.
    """
    corners = (places * (size - side + 1)).long()[..., None]  # (N, K, 2, 1)
    line = torch.arange(size, device=places.device)
    rows, columns = ((line >= corners) & (line < corners + side)).unbind(2)  # (N, K, size) each
    return (rows[..., :, None] & columns[..., None, :]).any(1, keepdim=True)


def masked_error(painted: Tensor, pictures: Tensor, hidden: Tensor) -> Tensor:
    """Mean over pictures of the mean squared error over what is hidden; what is seen does not count.

    painted, pictures: `(N, C, S, S)`; hidden: `(N, 1, S, S)` booleans, some True in each. The paper's equation 1, per
    hidden pixel, so that pictures count alike where squares overlap.
    """
    precise = torch.promote_types(pictures.dtype, torch.float32)
    errors = (painted.to(precise) - pictures.to(precise)).square().mean(1, keepdim=True)
    return ((errors * hidden).sum((1, 2, 3)) / hidden.sum((1, 2, 3))).mean()
