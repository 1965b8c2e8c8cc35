"""GAN: a generator makes pictures, and the encoder learns to tell them from real ones.

Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; the discriminator's layers as features: Radford, Metz &
Chintala 2016, DCGAN, https://arxiv.org/abs/1511.06434 (section 5).
"""

from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, GenerativeMethod, StepOutput
from components.methods.precise import precise
from components.methods.stand_ins import stand_ins
from components.models.decoder import Decoder
from components.models.encoders import Encoder

BETAS = (0.5, 0.999)


class GAN(GenerativeMethod):
    """The encoder with one linear output is the discriminator, a decoder of random codes the generator.

    Both take each step at once, each by the gradient of its own loss; the papers alternate. Pictures have no bound like
    DCGAN's tanh, and the encoder is whatever was chosen, with its ReLUs.
    """

    fits = ("pixels",)

    views = ("weak",)
    falls = "discriminator"  # the loss of a game need not fall

    class Config(BaseConfig):
        """latent: length of the code; width: of the generator's last layer but one; the others slow the discriminator.

        noise: deviation of what is added to real and made pictures alike, where that of the pixels is 1 (Sonderby et
        al. 2017, https://arxiv.org/abs/1610.04490); smoothing: how far below 1 the label of real pictures is (Salimans
        et al. 2016, https://arxiv.org/abs/1606.03498). With neither it soon knows all and teaches nothing.
        """

        latent: int = Field(default=64, ge=1)
        noise: float = Field(default=0.5, ge=0)
        smoothing: float = Field(default=0.1, ge=0, lt=0.5)
        width: int = Field(default=32, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.verdict = nn.Linear(encoder.dim, 1)
        self.generator = Decoder(config.latent, encoder.shape, config.width)

    def training_step(self, batch: Batch) -> StepOutput:
        """The sum of the two players' losses, of which each reaches its own player alone."""
        pictures = batch.views[0]
        made = self.generator(draws.normal(batch, self.config.latent).to(pictures)) + self._noise(batch)
        real = self.verdict(self.encoder(pictures + self._noise(batch)))
        discriminator = discriminator_loss(real, self._judged(made.detach()), self.config.smoothing)
        generator = generator_loss(self._judged(made, frozen=True))
        metrics = {"discriminator": discriminator.detach(), "generator": generator.detach()}
        return StepOutput(discriminator + generator, metrics)

    def _noise(self, batch: Batch) -> Tensor:
        pictures = batch.views[0]
        return self.config.noise * draws.normal(batch, *pictures.shape[1:]).to(pictures)

    def _judged(self, made: Tensor, *, frozen: bool = False) -> Tensor:
        """`(N, 1)` logits. Running statistics stay those of real pictures; frozen: no gradient to the discriminator."""
        vectors = functional_call(self.encoder, stand_ins(self.encoder, frozen=frozen), made)
        logits: Tensor = functional_call(self.verdict, stand_ins(self.verdict, frozen=frozen), vectors)
        return logits

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """DCGAN's short memory of gradients, for Adam (section 4); its rate of 0.0002 is the loop's to set."""
        return [{**group, "betas": BETAS} for group in super().parameter_groups(learning_rate)]

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures that never were."""
        return {"samples": self.decode(self.codes(pictures, generator))}

    def codes(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """As many drawn codes: a GAN reads no picture."""
        return draws.normal(Batch([pictures], generator=generator), self.config.latent).to(pictures)

    def decode(self, codes: Tensor) -> Tensor:
        """Pictures of the codes."""
        pictures: Tensor = self.generator(codes)
        return pictures


def discriminator_loss(real: Tensor, made: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of `(N, 1)` logits: the 2014 paper's equation 1, with the label `1 - smoothing` for real ones."""
    real, made = precise(real), precise(made)
    loss = F.binary_cross_entropy_with_logits
    return loss(real, torch.full_like(real, 1 - smoothing)) + loss(made, torch.zeros_like(made))


def generator_loss(made: Tensor) -> Tensor:
    """Mean of `-log D`: the loss that does not saturate (2014, section 3), of `(N, 1)` logits of what it made."""
    return F.softplus(-precise(made)).mean()
