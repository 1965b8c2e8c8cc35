"""The two terms of a variational bound, picture by picture: what decoding loses, and what the code costs.

Kingma & Welling 2014, https://arxiv.org/abs/1312.6114.
"""

import math

from torch import Tensor


def negative_log_likelihoods(decoded: Tensor, pictures: Tensor, noise: float) -> Tensor:
    """`-log N(pictures; decoded, noise^2)`, nats summed over the last dimension: `(..., P)` -> `(...)`."""
    squares = ((pictures - decoded) / noise).square().sum(-1)
    return (squares + pictures.shape[-1] * math.log(2 * math.pi * noise**2)) / 2


def kl_divergences(mean: Tensor, log_variance: Tensor) -> Tensor:
    """`KL(N(mean, variance) || N(0, 1))`, nats summed over the code `(..., Z)` -> `(...)`: appendix B."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
