"""The mean over the unlabeled rows of a mixed batch, in shapes that do not depend on how many there are."""

from torch import Tensor

from components.methods.contracts import Batch


def unlabeled_mean(values: Tensor, batch: Batch) -> Tensor:
    """Mean of `(B,)` values over the rows of weight 0; 0 where every row is labeled."""
    assert batch.weights is not None
    unlabeled = (batch.weights == 0).to(values)
    return (values * unlabeled).sum() / unlabeled.sum().clamp_min(1)
