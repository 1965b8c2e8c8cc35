"""Semi-supervised GAN: whatever a picture shows, the classifier must also tell it from made ones.

Salimans et al. 2016, https://arxiv.org/abs/1606.03498 (sections 3.1 and 5).
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.precise import precise
from components.methods.stand_ins import stand_ins
from components.methods.unlabeled_mean import unlabeled_mean
from components.models.decoder import Decoder
from components.models.encoders import Encoder


class SemiSupervisedGAN(SemiSupervisedNetwork):
    """Made pictures are one class more, whose logit is 0; the generator matches the mean of the encoder's vectors.

    Both take each step at once, each by the gradient of its own loss; the paper alternates.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """latent: length of the code; width: of the generator's last layer but one; weight: of telling real from made;
        noise: deviation of what is added to real and made pictures alike, where that of the pixels is 1.
        """

        latent: int = Field(default=64, ge=1)
        width: int = Field(default=16, ge=1)
        weight: float = Field(default=1.0, ge=0)
        noise: float = Field(default=0.3, ge=0)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config = config
        self.generator = Decoder(config.latent, encoder.shape, config.width)

    def training_step(self, batch: Batch) -> StepOutput:
        """Both players' losses, of which each reaches its own player alone."""
        made = self.generator(draws.normal(batch, self.config.latent).to(batch.views[0])) + self._noise(batch)
        vectors = self.encoder(batch.views[0] + self._noise(batch))
        logits = precise(self.head(vectors))
        made_logits = precise(self.head(self._made_vectors(made.detach())))
        told = unlabeled_mean(-log_real(logits), batch) - log_made(made_logits).mean()
        matching = feature_matching(precise(vectors), precise(self._made_vectors(made, frozen=True)))
        loss = labeled_loss(logits, batch) + self.config.weight * told + matching
        return StepOutput(loss, {"told": told.detach(), "matching": matching.detach()})

    def _noise(self, batch: Batch) -> Tensor:
        pictures = batch.views[0]
        return self.config.noise * draws.normal(batch, *pictures.shape[1:]).to(pictures)

    def _made_vectors(self, made: Tensor, *, frozen: bool = False) -> Tensor:
        """`(B, D)`. Running statistics stay those of real pictures; frozen: no gradient to the encoder."""
        vectors: Tensor = functional_call(self.encoder, stand_ins(self.encoder, frozen=frozen), made)
        return vectors


def log_real(logits: Tensor) -> Tensor:
    """`log Z / (Z + 1)`, `Z = sum_k exp(l_k)`, of `(B, K)`: the paper's `log D(x)`, row by row `(B,)`; section 5."""
    return F.logsigmoid(torch.logsumexp(logits, 1))


def log_made(logits: Tensor) -> Tensor:
    """`log 1 / (Z + 1)`, which is `log(1 - D(x))`, likewise."""
    return F.logsigmoid(-torch.logsumexp(logits, 1))


def feature_matching(real: Tensor, made: Tensor) -> Tensor:
    """Squared distance of the mean of `(B, D)` made vectors to that of real ones, a constant; section 3.1."""
    return (real.detach().mean(0) - made.mean(0)).square().sum()
