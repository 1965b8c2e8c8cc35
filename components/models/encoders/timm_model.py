"""Any network of timm by its name, the classifier cut off; timm itself is not installed with Winnow."""

from importlib.util import find_spec
from typing import Any

from pydantic import Field

from components.core.config import Config as BaseConfig
from components.core.config import hint
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders._whole_network import WholeNetwork, cannot_take

MISSING = (
    "pretrain.encoder 'timm_model' needs timm, which is not installed: `pip install timm`, or choose torchvision_model."
)


class TimmModel(WholeNetwork):
    """`timm.create_model(model, pretrained=False, num_classes=0, in_chans=...)`; weights come by `pretrain.weights`.

    Wightman 2019, https://github.com/huggingface/pytorch-image-models. A network of fixed size is made for the
    pictures' own.
    """

    takes = ("pixels",)

    library = "timm"

    class Config(BaseConfig):
        """model: a name of `timm.list_models()`; arguments: what else goes to `create_model`, such as patch_size."""

        model: str = "mobilenetv3_small_050"
        arguments: dict[str, Any] = Field(default_factory=dict)

    def __init__(self, given: Input, config: Config) -> None:
        channels, image_size, _ = given.shape
        if find_spec("timm") is None:
            raise WinnowError(MISSING)
        self._options = _options(config.model, channels, image_size) | config.arguments
        network = _make(config.model, image_size, self._options)
        super().__init__(network, config.model, given)

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
