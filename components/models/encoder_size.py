"""How large a network is, before memory is taken for it: what fits into no machine is refused by its setting."""

import torch

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.modalities import Input
from components.models.encoders import Encoder

LARGEST = 1_000_000_000  # numbers, 4 GB: as many as the largest vision transformers have


def outlined(choice: PluginChoice, given: Input, *, where: str) -> Encoder:
    """The chosen encoder made of shapes alone. Raises WinnowError naming `where` for too large a one."""
    with torch.device("meta"):
        encoder: Encoder = build("encoder", choice, given, where=where, kind=given.kind)
    numbers = sum(tensor.numel() for tensor in (*encoder.parameters(), *encoder.buffers()))
    if numbers > LARGEST:
        options = ", ".join(f"{name}: {value}" for name, value in choice.options.items())
        raise WinnowError(
            f"{where} {choice.name} ({options or 'as it is'}) has {numbers:,} weights, more than {LARGEST:,}: choose a "
            "smaller one."
        )
    return encoder
