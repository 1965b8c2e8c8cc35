"""DINO: small views of a picture predict what a slow teacher says of whole ones, with no labels in either.

Caron et al. 2021, https://arxiv.org/abs/2104.14294.
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.multi_crop import encode_crops
from components.methods.whole_batch import whole_batch
from components.models.encoders import Encoder
from components.models.projection_head import projection_head
from components.models.prototype_layer import PrototypeLayer
from components.models.teacher import Teacher, rising

WHOLE = 2  # views that the teacher sees


class DINO(SelfSupervisedMethod):
    """A student that sees every view, and a teacher that sees the whole ones, centered and sharpened."""

    views: tuple[str, ...] = ("view", "local")

    class Config(BaseConfig):
        """How the teacher teaches.

        local_views: small ones per picture, for the student; outputs: of the heads; student_temperature,
        teacher_temperature: lower is sharper; center_momentum, momentum: decay of the teacher's mean output, and of the
        mean of weights that the teacher is, which rises to 1; hidden, bottleneck: widths of the heads' layers.

        The paper's 65,536 outputs, head of 2,048 and 256, and momentum of .996 are for ImageNet and long training; its
        teacher's temperature rises to .07 within 30 epochs, and its last layer waits for one.
        """

        local_views: int = Field(default=2, ge=0, le=16)
        outputs: int = Field(default=1024, ge=2)
        student_temperature: float = Field(default=0.1, ge=0.01)
        teacher_temperature: float = Field(default=0.04, ge=0.01)
        center_momentum: float = Field(default=0.9, ge=0, lt=1)
        momentum: float = Field(default=0.99, ge=0, lt=1)
        hidden: int = Field(default=512, ge=1)
        bottleneck: int = Field(default=128, ge=1)

    center: Tensor

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = encoder, config
        self.views = ("view", "view", *("local" for _ in range(config.local_views)))
        self.head = dino_head(encoder.dim, config.hidden, config.bottleneck, config.outputs)
        self.teacher = Teacher(nn.Sequential(encoder, self.head))
        self.register_buffer("center", torch.zeros(config.outputs))

    def project(self, vectors: Tensor) -> Tensor:
        """The outputs of the head."""
        outputs: Tensor = self.head(vectors)
        return outputs

    def training_step(self, batch: Batch) -> StepOutput:
        """The student's cross-entropy to the teacher; then the center moves to the mean of all workers' outputs."""
        student = self.head(encode_crops(self.encoder, batch.views)).unflatten(0, (len(batch.views), -1))
        teacher = self.teacher(torch.cat(batch.views[:WHOLE])).unflatten(0, (WHOLE, -1))
        config = self.config
        with torch.autocast(student.device.type, enabled=False):
            loss = dino_loss(student, teacher, self.center, config.student_temperature, config.teacher_temperature)
        mean = whole_batch(teacher.mean((0, 1))[None]).mean(0)  # shares are equal
        self.center.lerp_(mean, 1 - config.center_momentum)
        return StepOutput(loss)

    def after_step(self, progress: float) -> None:
        """The teacher follows."""
        self.teacher.follow(nn.Sequential(self.encoder, self.head), rising(self.config.momentum, progress))


def dino_head(dim: int, hidden: int, bottleneck: int, outputs: int) -> nn.Sequential:
    """Three layers, then cosines with `outputs` prototypes: the paper's appendix C, with batch norm.

    A new convolutional encoder gives all pictures nearly the same vector. Once centered nothing is left of that, and
    a head without batch norm learns to answer evenly (its loss stays at log `outputs`).
    """
    layers = projection_head(dim, hidden, hidden, bottleneck)
    return nn.Sequential(*layers, PrototypeLayer(bottleneck, outputs))


def dino_loss(
    student: Tensor, teacher: Tensor, center: Tensor, student_temperature: float, teacher_temperature: float
) -> Tensor:
    """Mean over pairs of different views, and samples, of `-sum_k P_t(k) log P_s(k)`: the paper's equation 3.

    student: `(V, N, K)` outputs for V views; teacher: `(2, N, K)` for the first two of them; center: `(K,)`.
    `P_s = softmax(student / T_s)` and `P_t = softmax((teacher - center) / T_t)`, as in algorithm 1.
    """
    targets = F.softmax((teacher - center) / teacher_temperature, dim=2)
    losses = -torch.einsum("tnk,vnk->tv", targets, F.log_softmax(student / student_temperature, dim=2))
    losses = losses / student.shape[1]
    return (losses.sum() - losses.diagonal().sum()) / (len(teacher) * (len(student) - 1))
