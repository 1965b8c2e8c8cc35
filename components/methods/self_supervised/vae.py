"""VAE: a picture becomes a cloud of codes that a decoder reads, and all clouds together one standard normal.

Kingma & Welling 2014, https://arxiv.org/abs/1312.6114; beta: Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, GenerativeMethod, StepOutput
from components.methods.precise import precise
from components.methods.variational_bound import kl_divergences, negative_log_likelihoods
from components.models.decoder import Decoder
from components.models.encoders import Encoder


class VAE(GenerativeMethod):
    """An encoder, linear heads for the code's mean and log variance, and a decoder.

    Downstream the encoder's vector is used, not the code: both heads are linear in it, so it says all that they say;
    its length is the encoder's own; and it need not lose what the prior presses out of the code, where a number that
    costs more nats than it saves becomes pure noise.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """latent: length of the code; noise: deviation of a pixel about the decoded one; beta: weight of the KL.

        noise is on the normalized scale, where pixels deviate by 1 over the data set: the smaller, the sharper the
        pictures and the longer the code. width: of the decoder's last layer but one.
        """

        latent: int = Field(default=32, ge=1)
        noise: float = Field(default=0.5, gt=0)
        beta: float = Field(default=1.0, ge=0)
        width: int = Field(default=32, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.mean = nn.Linear(encoder.dim, config.latent)
        self.log_variance = nn.Linear(encoder.dim, config.latent)
        self.decoder = Decoder(config.latent, encoder.shape, config.width)

    def training_step(self, batch: Batch) -> StepOutput:
        """The negative ELBO in nats per picture, with one draw of the code, and its two terms."""
        mean, log_variance = self._code(batch.views[0])
        code = mean + (log_variance / 2).exp() * draws.normal(batch, self.config.latent).to(mean)
        decoded = self.decoder(code)
        reconstruction = negative_log_likelihood(precise(decoded), precise(batch.views[0]), self.config.noise)
        divergence = kl_divergence(mean, log_variance)
        loss = reconstruction + self.config.beta * divergence
        return StepOutput(loss, {"reconstruction": reconstruction.detach(), "kl": divergence.detach()})

    def show(self, pictures: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Pictures, what comes back of the middle of their clouds, and pictures that never were: codes of the prior."""
        mean = self.codes(pictures, generator)
        code = draws.normal(Batch([pictures], generator=generator), self.config.latent)
        return {"originals": pictures, "reconstructions": self.decode(mean), "samples": self.decode(code.to(mean))}

    def codes(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """The middles of the pictures' clouds."""
        return self._code(pictures)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """Pictures of the codes."""
        pictures: Tensor = self.decoder(codes)
        return pictures

    def _code(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        vectors = self.encoder(pictures)
        return precise(self.mean(vectors)), precise(self.log_variance(vectors))


def negative_log_likelihood(decoded: Tensor, pictures: Tensor, noise: float) -> Tensor:
    """Mean over samples of `-log N(pictures; decoded, noise^2)`, nats summed over the pixels of `(N, C, S, S)`."""
    return negative_log_likelihoods(decoded.flatten(1), pictures.flatten(1), noise).mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean over samples of `KL(N(mean, variance) || N(0, 1))`, nats summed over the code of `(N, K)`: appendix B."""
    return kl_divergences(mean, log_variance).mean()
