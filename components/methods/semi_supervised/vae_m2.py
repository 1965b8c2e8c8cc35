"""Semi-supervised VAE: a picture is drawn of its class and a code, and an unknown class is summed over.

Kingma et al. 2014, model M2, https://arxiv.org/abs/1406.5298.
"""

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.methods import draws
from components.methods.contracts import Batch, SemiSupervisedNetwork, StepOutput
from components.methods.labeled_loss import labeled_loss
from components.methods.precise import precise
from components.methods.variational_bound import kl_divergences, negative_log_likelihoods
from components.models.encoders import Encoder


class VAEM2(SemiSupervisedNetwork):
    """The classifier is `q(y|x)`; small networks for `q(z|x,y)`, on the encoder's vector, and `p(x|y,z)`, of pixels.

    As in the paper these two are perceptrons with a hidden layer: a bound takes a decoded picture for each class.
    """

    fits = ("pixels",)

    views = ("weak",)

    class Config(BaseConfig):
        """latent: length of the code; hidden: width of both perceptrons; noise: deviation of a pixel about the decoded
        one, where pixels deviate by 1 over the data set; weight: of the bound, in nats per picture, beside the labels'
        cross-entropy: one over the paper's alpha, which is a tenth of the number of pictures, so 0.01 for a thousand.
        """

        latent: int = Field(default=32, ge=1)
        hidden: int = Field(default=256, ge=1)
        noise: float = Field(default=1.0, gt=0)
        weight: float = Field(default=0.01, ge=0)

    def __init__(self, encoder: Encoder, head: nn.Linear, unlabeled: int, config: Config) -> None:
        super().__init__(encoder, head, unlabeled)
        self.config, self.classes = config, head.out_features
        self.posterior = _perceptron(encoder.dim + self.classes, config.hidden, 2 * config.latent)
        self.decoder = _perceptron(config.latent + self.classes, config.hidden, math.prod(encoder.shape))

    def training_step(self, batch: Batch) -> StepOutput:
        """Bound and cross-entropy, equation 9; where a label is known it takes the guess's place."""
        assert batch.targets is not None
        assert batch.weights is not None
        vectors = self.encoder(batch.views[0])
        logits = precise(self.head(vectors))
        known = (batch.weights > 0)[:, None]
        guesses = torch.where(known, batch.targets.to(logits), logits.softmax(1))
        bounds = self.bounds(vectors, batch.views[0], draws.normal(batch, self.config.latent))
        bound = marginal_bounds(bounds, guesses).mean()
        loss = labeled_loss(logits, batch) + self.config.weight * bound
        return StepOutput(loss, {"bound": bound.detach()})

    def bounds(self, vectors: Tensor, pictures: Tensor, noise: Tensor) -> Tensor:
        """`(B, K)` negative bounds `L(x, y)` for each class: equation 6, with one draw `(B, Z)` for all of them."""
        every = torch.eye(self.classes, device=vectors.device).to(vectors).expand(len(vectors), -1, -1)
        seen = torch.cat([vectors[:, None].expand(-1, self.classes, -1), every], 2)
        mean, log_variance = precise(self.posterior(seen)).chunk(2, 2)
        code = mean + (log_variance / 2).exp() * noise.to(mean)[:, None]
        decoded = precise(self.decoder(torch.cat([code, every.to(code)], 2)))
        loss = negative_log_likelihoods(decoded, precise(pictures).flatten(1)[:, None], self.config.noise)
        return loss + kl_divergences(mean, log_variance) + math.log(self.classes)


def marginal_bounds(bounds: Tensor, guesses: Tensor) -> Tensor:
    """`sum_y q(y) L(x, y) - H(q)` of `(B, K)`, row by row `(B,)`: equation 7; of a certain class, equation 6."""
    logs = guesses.clamp_min(torch.finfo(guesses.dtype).tiny).log()  # at 0 the gradient must be finite too
    return (guesses * (bounds + logs)).sum(1)


def _perceptron(incoming: int, hidden: int, outgoing: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(incoming, hidden), nn.ReLU(), nn.Linear(hidden, outgoing))
