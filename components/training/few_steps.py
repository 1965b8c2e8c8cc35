"""Steps decide what a training comes to, not epochs: what is said where small data make few of them."""

from components.training.loop import LoopConfig

FEW = 100  # steps, of a whole training


def few_steps(loop: LoopConfig, count: int) -> str:
    """A sentence where `count` rows make fewer than `FEW` steps in all, or nothing."""
    per_epoch = max(1, count // loop.batch_size)
    steps = loop.epochs * per_epoch
    if not loop.epochs or steps >= FEW:
        return ""
    return (
        f"{loop.epochs} epochs of {per_epoch} steps are {steps} steps in all, too few to learn much: "
        f"{-(-FEW // per_epoch)} epochs, or a smaller batch_size, make {FEW}."
    )
