"""A row of transformer blocks over texts of different lengths, which look at all words or at those before alone."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from components.models.residual_start import start_small
from components.models.transformer_block import TransformerBlock, rotary_turns


class TransformerRow(nn.Sequential):
    """`depth` blocks; causal: a token sees itself and those before it; rotary: places are told by turning."""

    def __init__(self, width: int, heads: int, depth: int, *, causal: bool, rotary: bool) -> None:
        blocks = [TransformerBlock(width, heads) for _ in range(depth)]
        super().__init__(*blocks)
        start_small(self, [layer for block in blocks for layer in block.adding])
        self.causal, self.turned = causal, width // heads if rotary else 0

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Tokens `(B, L, width)` -> the same shape; mask: `(B, K)`, true where there is a token.

        What stands behind those K are prompts: they have no place, and all see them.
        """
        length, own = tokens.shape[1], mask.shape[1]
        seen = F.pad(mask, (0, length - own), value=True)[:, None, None, :]
        if self.causal:
            before = torch.ones(length, length, dtype=torch.bool, device=tokens.device).tril()
            before[:, own:] = True
            seen = seen & before
        turns = F.pad(self._turns(own).to(tokens.device), (0, 0, 0, length - own)) if self.turned else None
        if turns is not None:
            turns[0, own:] = 1  # by no angle
        for block in self:
            tokens = block(tokens, seen, turns)
        return tokens

    def _turns(self, length: int) -> Tensor:
        return rotary_turns(length, self.turned)
