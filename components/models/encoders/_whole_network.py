"""A library's whole network as an encoder: nothing in it draws at random; pictures that it cannot take are refused."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders import Encoder


class WholeNetwork(Encoder):
    """`network`, its classifier cut off, gives `(N, dim)`; `library_model` is its name."""

    library_names: ClassVar[Mapping[str, str]] = {"network.": ""}

    def __init__(self, network: nn.Module, name: str, given: Input) -> None:
        """Dropout and stochastic depth are switched off: the same batch is to give the same gradient on any worker.

        Raises WinnowError where pictures of this size do not pass through the network.
        """
        super().__init__(given)
        self.library_model = name
        self.network = network
        for module in network.modules():
            if type(module).__name__ in DRAWING:
                for attribute in ("p", "drop_prob"):
                    if hasattr(module, attribute):
                        setattr(module, attribute, 0.0)
        self.dim = self._dim()

    def block_list(self) -> list[nn.Module]:
        """Found by how deep networks are written: what stands in a row and consists of others, the outermost."""
        return list(_blocks(self.network))

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, S, S)` -> `(N, dim)`."""
        return self.through(pictures)

    def through(self, pictures: Tensor) -> Tensor:
        """What becomes of pictures in the network."""
        vectors: Tensor = self.network(pictures)
        return vectors

    def _dim(self) -> int:
        """From the shapes alone: no number is computed."""
        weights = {key: torch.empty_like(value, device="meta") for key, value in self.state_dict().items()}
        training = self.network.training
        try:
            with torch.no_grad(), torch.device("meta"):
                pictures = torch.empty(2, *self.shape)
                vectors = torch.func.functional_call(self.eval(), weights, (pictures,))
        except (RuntimeError, ValueError, AssertionError) as error:
            raise cannot_take(self.library, self.library_model, self.shape[1], error) from None
        self.train(training)
        if vectors.dim() != 2:
            raise WinnowError(
                f"{self.library}'s '{self.library_model}' does not end in one vector per picture: choose another model "
                "in pretrain.encoder."
            )
        return int(vectors.shape[1])


DRAWING = {"Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "StochasticDepth", "DropPath"}


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if _is_row(module) and not _is_row(child) and any(child.children()):
            yield child
        else:
            yield from _blocks(child)


def _is_row(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential | nn.ModuleList)


def cannot_take(library: str, name: str, image_size: int, error: Exception) -> WinnowError:
    """What is said where a network refuses the pictures' size."""
    why = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    return WinnowError(
        f"{library}'s '{name}' cannot take pictures of {image_size} pixels ({why}): choose another "
        "ingest.modality.image_size, or another model in pretrain.encoder."
    )
