"""Is pretraining healthy? Figures that need no labels, per epoch, and the stop when the vectors have collapsed."""

import torch
from torch import Tensor
from torch.nn import functional as F

from components.core.errors import WinnowError

HEALTH = ("embedding_std", "effective_rank", "alignment", "uniformity", "projected_std", "rank_kept")
COLLAPSED_STD = 0.02  # of 1 where directions are spread evenly; a random network is above 0.1
COLLAPSED_RANK = 1.5
SHRUNK_STD, SHRUNK_RANK = 0.15, 0.2  # sound training stays well above, docs/methods.md has the figures


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


def shrunk(figures: dict[str, float]) -> str:
    """A sentence if `figures`, with `projected_health`'s, tell at the end of training of a collapse; else nothing."""
    std, rank = figures.get("projected_std", 1.0), figures.get("rank_kept", 1.0)
    if std >= SHRUNK_STD and rank >= SHRUNK_RANK:
        return ""
    return (
        f"the vectors that the loss compares hardly differ (deviation {std:.2f} of 1, {100 * rank:.0f} % of the "
        "effective rank they had before training): training is collapsing, or has not begun to work; lower "
        "pretrain.learning_rate, raise pretrain.epochs, or choose stronger views in "
        "augment.policies."
    )


def spread(vectors: Tensor) -> float:
    """Deviation of `(N, D)` vectors of length 1, mean over dimensions, times sqrt(D)."""
    return float(vectors.std(0).mean() * vectors.shape[1] ** 0.5)


def check(figures: dict[str, float]) -> None:
    """Raise WinnowError if the vectors have become the same point, or lie on one line."""
    std, rank = figures["embedding_std"], figures["effective_rank"]
    if not (std >= COLLAPSED_STD and rank >= COLLAPSED_RANK):  # a NaN is not healthy either
        raise WinnowError(
            f"pretraining has collapsed: all pictures get nearly the same vector (embedding_std {std:.3g}, "
            f"effective_rank {rank:.3g}); lower pretrain.learning_rate, raise pretrain.batch_size, or choose stronger "
            "views in augment.policies."
        )


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
