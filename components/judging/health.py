"""Is pretraining healthy? Figures that need no labels, per epoch; `collapse.py` says what they tell."""

import torch
from torch import Tensor
from torch.nn import functional as F

HEALTH = ("embedding_std", "effective_rank", "alignment", "uniformity", "projected_std", "rank_kept")


def health(vectors: Tensor, other_view: Tensor) -> dict[str, float]:
    """`embedding_std`, `effective_rank`, `alignment` and `uniformity` of `(N, D)` vectors of two views of N samples.

    All are of vectors scaled to length 1. embedding_std: mean over dimensions, times sqrt(D): 0 is collapse to a point,
    1 the most there is. Lower alignment and uniformity are better.
    """
    first, second = F.normalize(vectors.double(), dim=1), F.normalize(other_view.double(), dim=1)
    return {
        "embedding_std": spread(first),
        "effective_rank": effective_rank(first),
        "alignment": float((first - second).square().sum(1).mean()),
        "uniformity": uniformity(first),
    }


def projected_health(projected: Tensor, start: Tensor) -> dict[str, float]:
    """`projected_std` and `rank_kept` of the `(N, K)` vectors that a loss compares, scaled to length 1.

    projected_std: as `embedding_std`; rank_kept: effective rank relative to that of `start`, those of the same pictures
    before training. Where a method's safeguard fails these fall first; the encoder's vectors follow late or in part.
    """
    now, then = (F.normalize(vectors.double(), dim=1) for vectors in (projected, start))
    return {"projected_std": spread(now), "rank_kept": effective_rank(now) / effective_rank(then)}


def spread(vectors: Tensor) -> float:
    """Deviation of `(N, D)` vectors of length 1, mean over dimensions, times sqrt(D)."""
    return float(vectors.std(0).mean() * vectors.shape[1] ** 0.5)


def effective_rank(vectors: Tensor) -> float:
    """exp of the entropy of the centered vectors' singular values as shares: 1 to D (Roy & Vetterli 2007)."""
    if not bool(vectors.isfinite().all()):
        return float("nan")  # where the decomposition would raise
    values = torch.linalg.svdvals(vectors - vectors.mean(0))
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def uniformity(vectors: Tensor) -> float:
    """log mean over pairs of `exp(-2 |x - y|^2)`, vectors of length 1; from 0 (one point) to -4 (Wang & Isola 2020).

    https://arxiv.org/abs/2005.10242, with t = 2, as alignment has alpha = 2.
    """
    return float(torch.pdist(vectors).square().mul(-2).exp().mean().log())
