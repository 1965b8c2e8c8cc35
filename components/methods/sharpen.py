"""Sharpening: a guess made more decided, as low-entropy targets for unlabeled pictures.

Berthelot et al. 2019, MixMatch, https://arxiv.org/abs/1905.02249 (equation 7); Xie et al. 2020, UDA,
https://arxiv.org/abs/1904.12848 (section 2.3: the softmax of logits over a temperature, which is the same).
"""

from torch import Tensor


def sharpen(probabilities: Tensor, temperature: float) -> Tensor:
    """`p_k^(1/T) / sum_j p_j^(1/T)` of `(B, K)`; 1 changes nothing, towards 0 only the likeliest class remains."""
    decided = (probabilities / probabilities.amax(1, keepdim=True)) ** (1 / temperature)
    return decided / decided.sum(1, keepdim=True)
