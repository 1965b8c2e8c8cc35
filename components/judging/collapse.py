"""What the figures of `health.py` tell: that pretraining has collapsed, which stops it, or that it is about to."""

from components.core.errors import WinnowError

COLLAPSED_STD = 0.02  # of 1 where directions are spread evenly; a random network is above 0.1
COLLAPSED_RANK = 1.5
SHRUNK_STD, SHRUNK_RANK = 0.15, 0.2  # sound training stays well above, docs/methods.md has the figures


def check(figures: dict[str, float]) -> None:
    """Raise WinnowError if the vectors have become the same point, or lie on one line."""
    std, rank = figures["embedding_std"], figures["effective_rank"]
    if not (std >= COLLAPSED_STD and rank >= COLLAPSED_RANK):  # a NaN is not healthy either
        raise WinnowError(
            f"pretraining has collapsed: all samples get nearly the same vector (embedding_std {std:.3g}, "
            f"effective_rank {rank:.3g}); lower pretrain.learning_rate, raise pretrain.batch_size, or choose stronger "
            "views in augment.policies."
        )


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
