"""From what an encoder saw of a text to words in order: a transformer that looks back at its own and at the encoder's.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, normalized first, with fixed places.
"""

import torch
from torch import Tensor, nn

from components.models.residual_start import start_small
from components.models.transformer_block import TransformerBlock, attention, rotary_turns


class WordDecoder(nn.Module):
    """`depth` times: each word takes from the encoder's vectors, then looks at those before it."""

    def __init__(self, width: int, memory: int, heads: int, depth: int) -> None:
        """width: of words; memory: of the encoder's vectors."""
        super().__init__()
        self.turning = width // heads
        takes = [_Takes(width, memory, heads) for _ in range(depth)]
        blocks = [TransformerBlock(width, heads) for _ in range(depth)]
        self.takes, self.blocks = nn.ModuleList(takes), nn.ModuleList(blocks)
        start_small(self, [*(take.out for take in takes), *(layer for block in blocks for layer in block.adding)])
        self.norm = nn.LayerNorm(width)

    def forward(self, words: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """Words `(B, M, width)` and vectors `(B, L, memory)`, mask `(B, L)` of these -> `(B, M, width)`."""
        before = torch.ones(words.shape[1], words.shape[1], dtype=torch.bool, device=words.device).tril()
        turns = rotary_turns(words.shape[1], self.turning).to(words.device)
        for take, block in zip(self.takes, self.blocks, strict=True):
            words = block(take(words, memory, mask), before[None, None], turns)
        result: Tensor = self.norm(words)
        return result


class _Takes(nn.Module):
    def __init__(self, width: int, memory: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norm = heads, nn.LayerNorm(width)
        self.ask, self.offer, self.out = nn.Linear(width, width), nn.Linear(memory, 2 * width), nn.Linear(width, width)

    def forward(self, words: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        parts = (self.ask(self.norm(words)), *self.offer(memory).chunk(2, 2))
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        taken = attention(query, key, value, mask[:, None, None])
        result: Tensor = words + self.out(taken.transpose(1, 2).flatten(2))
        return result
