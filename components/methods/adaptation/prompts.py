"""Prompts: the network stays as it is and is shown something learned beside each picture, tokens or a border of pixels.

Jia et al. 2022, Visual prompt tuning, https://arxiv.org/abs/2203.12119 (transformers); Bahng et al. 2022,
https://arxiv.org/abs/2203.17274 (networks of convolutions)
"""

from pydantic import Field

from components.methods.frozen_weights import FrozenWeights
from components.models.encoders import Encoder
from components.models.prompts import add_border, add_tokens, takes_tokens

SHARE = 30 / 224  # of a picture's side that the border takes in the paper, on each side


class Prompts(FrozenWeights):
    """As `models/prompts.py` says; the encoder's file tells that they are there."""

    class Config(FrozenWeights.Config):
        """tokens: learned ones of a transformer; border: its pixels for other networks, empty for the paper's share."""

        tokens: int = Field(default=10, ge=1)
        border: int | None = Field(default=None, ge=1)

    def __init__(self, encoder: Encoder, classes: int, config: Config) -> None:
        super().__init__(encoder, classes, config)
        if takes_tokens(encoder):
            add_tokens(encoder, config.tokens)
        else:
            add_border(encoder, config.border or max(1, round(SHARE * encoder.shape[1])))
