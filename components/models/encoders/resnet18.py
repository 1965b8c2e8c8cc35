"""ResNet-18 by torchvision, with the stem for CIFAR where pictures are below 64 pixels; vectors of 512 numbers."""

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders._residual import Residual


class ResNet18(Residual):
    """He et al. 2016, https://arxiv.org/abs/1512.03385; `dim` is 512."""

    takes = ("pixels",)

    class Config(BaseConfig):
        """Nothing to choose."""

    def __init__(self, given: Input, config: Config) -> None:
        from torchvision.models import resnet18

        super().__init__(resnet18, given)
