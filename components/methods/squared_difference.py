"""How far two judgements of the same pictures are apart: what consistency regularization lowers.

Laine & Aila 2017, https://arxiv.org/abs/1610.02242 (algorithm 1); Tarvainen & Valpola 2017,
https://arxiv.org/abs/1703.01780 (section 2).
"""

from torch import Tensor


def squared_difference(first: Tensor, second: Tensor) -> Tensor:
    """Mean over rows and classes of `(softmax(first) - softmax(second))^2`, logits `(B, K)`; at most 2 / K."""
    return (first.softmax(1) - second.softmax(1)).square().mean()
