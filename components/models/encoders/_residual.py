"""torchvision's residual networks as encoders: the classifier cut off, the first layer suited to the pictures' size."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from components.modalities import Input
from components.models.encoders import Encoder

FULL_SIZE = 64  # pixels a side from which the stem of ImageNet, a quarter of the sides, leaves enough to see

IMAGENET = "Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)"  # the stem's convolution


class Residual(Encoder):
    """He et al. 2016, https://arxiv.org/abs/1512.03385; randomly initialized."""

    library = "torchvision"
    library_names: ClassVar[Mapping[str, str]] = {
        "stem.0.": "conv1.",
        "stem.1.": "bn1.",
        **{f"stages.{number}.": f"layer{number + 1}." for number in range(4)},
    }

    def __init__(self, make: Callable[..., Any], given: Input) -> None:
        """make: a function of `torchvision.models`.

        Small pictures keep their places: a 3x3 stem at stride 1 and no pooling, as in the paper's section on CIFAR.
        """
        super().__init__(given)
        channels, image_size, _ = given.shape
        self.library_model = make.__name__
        network = make(weights=None, zero_init_residual=True)
        width = network.conv1.out_channels
        small = image_size < FULL_SIZE
        first = nn.Conv2d(channels, width, *((3, 1, 1) if small else (7, 2, 3)), bias=False)
        nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")
        self.stem = nn.Sequential(first, network.bn1, network.relu)
        if not small:
            self.stem.append(network.maxpool)
        self.stages = nn.Sequential(network.layer1, network.layer2, network.layer3, network.layer4)
        self.dim = network.fc.in_features

    def block_list(self) -> list[nn.Module]:
        """The residual blocks of all stages."""
        return [block for stage in self.stages.children() for block in stage.children()]

    def library_code(self, library: str) -> list[str]:
        """As the base says."""
        make = "torchvision.models.get_model" if library == "torchvision" else "timm.create_model"
        lines = [f"network = {make}({self.library_model!r})", "network.fc = torch.nn.Identity()"]
        if repr(self.stem[0]) != IMAGENET:
            lines.append(f"network.conv1 = torch.nn.{self.stem[0]!r}")
        if len(self.stem) == 3:
            lines.append("network.maxpool = torch.nn.Identity()")
        return lines

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, dim)`: the mean over the last stage's places."""
        maps: Tensor = self.stages(self.stem(pictures))
        return maps.mean((2, 3))
