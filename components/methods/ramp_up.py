"""How the weight of unlabeled pictures rises while a network's word is not yet worth much.

Laine & Aila 2017, https://arxiv.org/abs/1610.02242 (section 2.1).
"""

import math


def ramp_up(progress: float, length: float) -> float:
    """`exp(-5 (1 - p)^2)`, `p` from 0 to 1 while the share of training done goes from 0 to `length`; then 1."""
    part = min(progress / length, 1.0) if length > 0 else 1.0
    return math.exp(-5 * (1 - part) ** 2)
