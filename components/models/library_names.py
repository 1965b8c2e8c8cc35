"""An encoder's weights under the names that torchvision or timm give them, and back."""

from collections.abc import Mapping

from torch import Tensor

from components.models.additions import Additions
from components.models.encoders import Encoder

SAME = {("torchvision", name): "timm" for name in ("resnet18", "resnet50")}  # timm took these names over


def libraries(encoder: Encoder) -> list[str]:
    """Libraries that have this network with weights of the same names; its own first, none for networks of ours.

    Nor for one with additions: no library's own would give its vectors."""
    if encoder.additions != Additions():
        return []
    own = encoder.library
    return [name for name in (own, SAME.get((own, encoder.library_model), "")) if name]


def to_library(encoder: Encoder, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's `weights` as its library names them; those that the library does not have stay out."""
    pairs = encoder.library_names.items()
    return {
        there + name.removeprefix(here): value
        for name, value in weights.items()
        for here, there in pairs
        if name.startswith(here)
    }


def from_library(encoder: Encoder, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The library's `weights` as the encoder names them; what the encoder does not have (a classifier) stays out."""
    own = encoder.state_dict()
    found = {
        here + name.removeprefix(there): value
        for name, value in weights.items()
        for here, there in encoder.library_names.items()
        if name.startswith(there)
    }
    return {name: value for name, value in found.items() if name in own}
