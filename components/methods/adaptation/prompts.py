"""Prompts: the network stays as it is and is shown something learned beside each picture, tokens or a border of pixels.

Jia et al. 2022, Visual prompt tuning, https://arxiv.org/abs/2203.12119 (transformers); Bahng et al. 2022,
https://arxiv.org/abs/2203.17274 (networks of convolutions)
"""

from typing import Any

from pydantic import Field

from components.core.errors import WinnowError
from components.core.unused import refuse_unused
from components.methods.frozen_weights import FrozenWeights
from components.models.encoders import Encoder
from components.models.prompts import add_border, add_tokens, takes_tokens

SHARE = 30 / 224  # of a picture's side that the border takes in the paper, on each side


class Prompts(FrozenWeights):
    """As `models/prompts.py` says; the encoder's file tells that they are there."""

    fits = ("pixels", "tokens")

    class Config(FrozenWeights.Config):
        """tokens: learned ones of a transformer; border: its pixels for other networks, empty for the paper's share.

        rate: of the prompts, over that of the head: what starts at 0 is to reach the pictures' own scale, deviation 1,
        in tens of steps; both papers' rates are far above a network's usual one.
        """

        tokens: int = Field(default=10, ge=1, le=4096)
        border: int | None = Field(default=None, ge=1, le=4096)
        rate: float = Field(default=30.0, gt=0)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__(encoder, classes, config)
        self.rate = config.rate
        tokens = takes_tokens(encoder)
        if not tokens and len(encoder.shape) < 3:
            raise WinnowError(
                f"finetune.method prompts: {type(encoder).__name__} has neither blocks that tokens go through nor "
                "pictures with a border: choose linear_probe or full, or transformer in pretrain.encoder."
            )
        idle, why = ("border", "the encoder takes tokens") if tokens else ("tokens", "the encoder takes no tokens")
        if idle in config.model_fields_set and getattr(config, idle) is not None:
            refuse_unused({f"finetune.method.{idle}": why})
        if tokens:
            add_tokens(encoder, config.tokens)
        else:
            add_border(encoder, config.border or max(1, round(SHARE * encoder.shape[1])))

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """The head at the full rate, the prompts at `rate` times it."""
        prompts = [parameter for parameter in self.encoder.parameters() if parameter.requires_grad]
        return [
            {"params": list(self.head.parameters()), "lr": learning_rate},
            {"params": prompts, "lr": self.rate * learning_rate, "weight_decay": 0.0},
        ]
