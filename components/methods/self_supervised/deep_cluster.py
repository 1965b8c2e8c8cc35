"""DeepCluster: before each epoch the pictures are clustered, and during it a view tells its picture's cluster.

Caron et al. 2018, https://arxiv.org/abs/1807.05520. As in DeepCluster-v2 (the appendix of Caron et al. 2020, SwAV,
https://arxiv.org/abs/2006.09882) the clusters' centers replace a classifier that begins anew every epoch, and k-means
is spherical.
"""

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.clusters import k_means
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.multi_crop import encode_crops
from components.models.encoders import Encoder
from components.models.projection_head import projection_head


class DeepCluster(SelfSupervisedMethod):
    """An encoder, a projection head, and a softmax over the cosines with this epoch's centers."""

    views: tuple[str, ...] = ("view", "local")

    class Config(BaseConfig):
        """How to cluster and to tell clusters apart.

        local_views: small ones per picture; clusters: how many, at most one for every two pictures; temperature: of the
        softmax; hidden, projection: widths of the head's layers. v2 has three clusterings of 3,000 and 6 small views,
        and clusters what its last epoch saw; here a pass over the unchanged pictures gives what is clustered.
        """

        local_views: int = Field(default=2, ge=0, le=16)
        clusters: int = Field(default=128, ge=2)
        temperature: float = Field(default=0.1, ge=0.03)
        hidden: int = Field(default=512, ge=1)
        projection: int = Field(default=128, ge=1)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.views = ("view", "view", *("local" for _ in range(config.local_views)))
        self.head = projection_head(encoder.dim, config.hidden, config.projection)
        # made anew before each epoch, so no part of the state
        self.assignment, self.centers, self.weights, self.empty = (torch.empty(0) for _ in range(4))

    def before_epoch(self, vectors: Callable[[], Tensor], generator: torch.Generator) -> None:
        """Cluster all pictures; an empty cluster is left out of the epoch, and counted."""
        self.head.eval()
        with torch.no_grad():
            outputs = F.normalize(self.head(vectors()), dim=1)
        self.head.train()
        count = min(self.config.clusters, max(1, len(outputs) // 2))
        found = k_means(outputs.float().cpu(), count, generator)
        sizes = found.assignment.bincount(minlength=count)
        used = sizes > 0
        self.empty = (~used).sum().to(outputs)
        self.assignment = (used.cumsum(0) - 1)[found.assignment].to(outputs.device)
        self.centers = found.centers[used].to(outputs)
        self.weights = cluster_weights(sizes[used]).to(outputs)

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """The cross-entropy of every view to its picture's cluster, clusters weighing alike."""
        outputs = self.head(encode_crops(self.encoder, batch.views))
        targets = self.assignment[batch.keys]
        with torch.autocast(outputs.device.type, enabled=False):
            outputs = outputs.to(self.centers.dtype).unflatten(0, (len(batch.views), -1))
            loss = cluster_loss(outputs, self.centers, targets, self.weights, self.config.temperature)
        return StepOutput(loss, {"empty_clusters": self.empty})


def cluster_weights(sizes: Tensor) -> Tensor:
    """`(K,)` weights for clusters of `sizes` `(K,)`, none 0: every cluster counts alike, the mean over pictures is 1.

    Equal to drawing pictures evenly over clusters, as section 3.3 (trivial parametrization) does.
    """
    return sizes.sum() / (len(sizes) * sizes.double())


def cluster_loss(outputs: Tensor, centers: Tensor, targets: Tensor, weights: Tensor, temperature: float) -> Tensor:
    """Mean over views and samples of `-w_y log softmax(z . C / T)_y`, `y` the sample's cluster, z of length 1.

    outputs: `(V, N, D)` of any length; centers: `(K, D)` of length 1; targets: `(N,)` in 0 to K - 1; weights: `(K,)`.
    Equation 2 of the first paper, with the second's softmax (its appendix on DeepCluster-v2).
    """
    logits = F.normalize(outputs, dim=2) @ centers.T / temperature
    losses = F.cross_entropy(logits.transpose(1, 2), targets.expand(len(outputs), -1), reduction="none")
    return (losses * weights[targets]).mean()
