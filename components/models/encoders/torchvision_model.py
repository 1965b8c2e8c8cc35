"""Any classification network of torchvision by its name, such as convnext_tiny or vit_b_16, its classifier cut off."""

from typing import Any

import torch
from pydantic import Field
from torch import nn

from components.core.config import Config as BaseConfig
from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders._whole_network import WholeNetwork, cannot_take


class TorchvisionModel(WholeNetwork):
    """Randomly initialized by torchvision; `pretrain.weights` starts it from a file.

    Channels other than 3 get a new first convolution. What comes before the last layer stays, so `mobilenet_v3_small`
    keeps the layer of 1,024 that widens its 576 channels, and VGG its two of 4,096.
    """

    takes = ("pixels",)

    library = "torchvision"

    class Config(BaseConfig):
        """model: a name of `torchvision.models`.

        stride: of the first convolution, empty for the network's own; 1 keeps more of small pictures and costs more.
        Weights have the same shapes with any stride. Transformers need their own.
        """

        model: str = "shufflenet_v2_x0_5"
        stride: int | None = Field(default=None, ge=1, le=64)

    def __init__(self, given: Input, config: Config) -> None:
        channels, image_size, _ = given.shape
        network = _make(config.model, image_size)
        self._last, _ = _layers(network, nn.Linear, nn.Conv2d)[-1]
        network.set_submodule(self._last, nn.Identity())
        self._first, first = _layers(network, nn.Conv2d)[0]
        if config.stride is not None:
            first.stride = (config.stride, config.stride)
        if channels != first.in_channels:
            network.set_submodule(self._first, _for_channels(first, channels))
        super().__init__(network, config.model, given)

    def library_code(self, library: str) -> list[str]:
        """As the base says."""
        options = "".join(f", {key}={value!r}" for key, value in _options(self.library_model, self.shape[1]).items())
        first = self.network.get_submodule(self._first)
        return [
            f"network = torchvision.models.get_model({self.library_model!r}{options})",
            f"network.set_submodule({self._last!r}, torch.nn.Identity())",
            f"network.set_submodule({self._first!r}, torch.nn.{first!r})",
        ]


def _options(name: str, image_size: int) -> dict[str, Any]:
    """What the network is to be told besides its name."""
    if name.startswith("vit_"):
        return {"image_size": image_size}
    if name.startswith("maxvit_"):
        return {"input_size": (image_size, image_size)}
    if name in ("googlenet", "inception_v3"):  # without their second classifiers
        return {"aux_logits": False, "init_weights": True}
    return {}


def _make(name: str, image_size: int) -> Any:
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise WinnowError(f"unknown model '{name}' of torchvision in pretrain.encoder: {did_you_mean(name, known)}")
    place = "cpu" if name.startswith("regnet_") else torch.get_default_device()  # these cannot be made of shapes alone
    try:
        with torch.device(place):
            return models.get_model(name, weights=None, **_options(name, image_size))
    except (ValueError, AssertionError, RuntimeError) as error:
        raise cannot_take("torchvision", name, image_size, error) from None


def _layers(network: nn.Module, *kinds: type[nn.Module]) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in network.named_modules() if isinstance(module, kinds)]


def _for_channels(first: nn.Conv2d, channels: int) -> nn.Conv2d:
    """A new convolution like `first`, for so many channels, its outputs of the size of its inputs."""
    assert first.groups == 1
    new = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
        device=first.weight.device,
    )
    nn.init.kaiming_normal_(new.weight, nonlinearity="linear")
    return new
