"""Any network of timm by its name, the classifier cut off; timm itself is not installed with Winnow."""

from importlib.util import find_spec
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.config import hint
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders._whole_network import WholeNetwork, cannot_take

MISSING = (
    "pretrain.encoder 'timm_model' needs timm, which is not installed: `make photos`, or choose torchvision_model."
)
STAGES = {"head": 0, "last": 1, "stages": 2}  # how many of the last stages make the vectors


class TimmModel(WholeNetwork):
    """`timm.create_model(model, pretrained=False, num_classes=0, in_chans=...)`; weights come by `pretrain.weights`.

    Wightman 2019, https://github.com/huggingface/pytorch-image-models. A network of fixed size is made for the
    pictures' own.
    """

    takes = ("pixels",)

    library = "timm"

    class Config(BaseConfig):
        """model: a name of `timm.list_models()`; arguments: what else goes to `create_model`, such as patch_size.

        vectors: `head`, what the network's own classifier is given, best where its classes are like yours; `last`, the
        mean over places of the last stage's features, which knows more of other classes; `stages`, these of the last
        stage and of the one before it, each of length 1.
        """

        model: str = "mobilenetv3_small_050"
        vectors: Literal["head", "last", "stages"] = "head"
        arguments: dict[str, Any] = Field(default_factory=dict)

    def __init__(self, given: Input, config: Config) -> None:
        channels, image_size, _ = given.shape
        if find_spec("timm") is None:
            raise WinnowError(MISSING)
        self._options = _options(config.model, channels, image_size) | config.arguments
        network = _make(config.model, image_size, self._options)
        self._stages = STAGES[config.vectors]
        if self._stages and not hasattr(network, "forward_intermediates"):
            raise WinnowError(
                f"timm's '{config.model}' does not give the features of its stages: take pretrain.encoder.vectors out."
            )
        super().__init__(network, config.model, given)
        if self._stages:
            self.library = ""  # whose own network would give other vectors

    def through(self, pictures: Tensor) -> Tensor:
        """As the setting `vectors` says."""
        if not self._stages:
            return super().through(pictures)
        network: Any = self.network
        found = network.forward_intermediates(pictures, indices=self._stages, intermediates_only=True)
        means = [features.mean((2, 3)) for features in found]
        return means[0] if len(means) == 1 else torch.cat([F.normalize(mean, dim=1) for mean in means], 1)

    def library_code(self, library: str) -> list[str]:
        """As the base says."""
        options = "".join(f", {key}={value!r}" for key, value in self._options.items())
        return [f"network = timm.create_model({self.library_model!r}{options})"]


def _options(name: str, channels: int, image_size: int) -> dict[str, Any]:
    """What the network is to be told besides its name."""
    import timm

    known = timm.list_models()
    if name.split(".")[0] not in known:
        near = hint(name, known) or "`timm.list_models()` lists them."
        raise WinnowError(f"unknown model '{name}' of timm in pretrain.encoder: {near.strip()}")
    settings = timm.get_pretrained_cfg(name)
    size = {"img_size": image_size} if settings is not None and settings.fixed_input_size else {}
    return {"pretrained": False, "num_classes": 0, "in_chans": channels, **size}


def _make(name: str, image_size: int, options: dict[str, Any]) -> Any:
    import timm

    try:
        return timm.create_model(name, **options)
    except TypeError as error:
        raise WinnowError(
            f"timm's '{name}' does not take pretrain.encoder.arguments ({error}): correct them."
        ) from None
    except (ValueError, AssertionError, RuntimeError) as error:
        raise cannot_take("timm", name, image_size, error) from None
