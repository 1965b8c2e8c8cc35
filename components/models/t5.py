"""T5: an encoder of a text and a decoder that writes another, as folders of transformers hold their weights.

Raffel et al. 2020, https://arxiv.org/abs/1910.10683, section 2.1: normalized first, by size alone, and no place but
how far apart two words are; the later forms with a gated layer too (Shazeer 2020, https://arxiv.org/abs/2002.05202).
"""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config

Kept = list[tuple[Tensor, Tensor]]  # of each block, keys and values (B, heads, L, D)


class T5(nn.Module):
    """Numbers in, scores of the next number out. Without `scores` the table itself gives them, as in the first T5."""

    class Shape(Config):
        """Of config.json: symbols (`vocab_size`), width (`d_model`), part (`d_kv`, of a head), hidden (`d_ff`), depth
        (`num_layers`), written (`num_decoder_layers`), heads, buckets and far (`relative_attention_num_buckets`,
        `_max_distance`), little (`layer_norm_epsilon`), form (`feed_forward_proj`), scaled (`scale_decoder_outputs`).
        """

        symbols: int = Field(alias="vocab_size", ge=2, le=2**20)
        width: int = Field(512, alias="d_model", ge=2, le=2**14)
        part: int = Field(64, alias="d_kv", ge=1, le=2**12)
        hidden: int = Field(2048, alias="d_ff", ge=1, le=2**17)
        depth: int = Field(6, alias="num_layers", ge=1, le=256)
        written: int = Field(6, alias="num_decoder_layers", ge=1, le=256)
        heads: int = Field(8, alias="num_heads", ge=1, le=256)
        buckets: int = Field(32, alias="relative_attention_num_buckets", ge=4, le=4096)
        far: int = Field(128, alias="relative_attention_max_distance", ge=8, le=2**20)
        little: float = Field(1e-6, alias="layer_norm_epsilon", gt=0, le=1)
        form: Literal["relu", "gated-gelu"] = Field("relu", alias="feed_forward_proj")
        scaled: bool = Field(True, alias="scale_decoder_outputs")

    def __init__(self, shape: Shape, *, own_scores: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.Embedding(shape.symbols, shape.width)
        self.reader = _Stack(shape, shape.depth, writes=False)
        self.writer = _Stack(shape, shape.written, writes=True)
        self.scores = nn.Linear(shape.width, shape.symbols, bias=False) if own_scores else None

    def read(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """Numbers `(B, L)`, mask `(B, L)` true where one is -> `(B, L, width)`."""
        apart = self.reader.apart(torch.arange(numbers.shape[1]), numbers.shape[1])
        memory: Tensor = self.reader(self.table(numbers), apart + _unseen(mask))[0]
        return memory

    def remember(self, memory: Tensor) -> Kept:
        """What the decoder takes of `read`, made once for all that it writes."""
        return [block.takes.offered(memory) for block in self.writer.row() if block.takes is not None]

    def write(self, said: Tensor, before: Kept | None, memory: Kept, mask: Tensor) -> tuple[Tensor, Kept]:
        """Scores `(B, M, symbols)` of what follows each of `said` `(B, M)`, and what is to be given back as `before`
        with the numbers that follow these; mask: of what was read.
        """
        there = before[0][0].shape[2] if before else 0
        places = torch.arange(there, there + said.shape[1])
        apart = self.writer.apart(places, there + said.shape[1])
        later = torch.arange(there + said.shape[1]) > places[:, None]
        own = apart.masked_fill(later.to(apart.device), -math.inf)
        vectors, kept = self.writer(self.table(said), own, before, memory, _unseen(mask))
        if self.shape.scaled:
            vectors = vectors * self.shape.width**-0.5
        return F.linear(vectors, self.table.weight if self.scores is None else self.scores.weight), kept

    def named_as(self) -> Iterator[tuple[str, str]]:
        """The weights' names here, and those of transformers."""
        yield "table.weight", "shared.weight"
        if self.scores is not None:
            yield "scores.weight", "lm_head.weight"
        for stack, theirs in ((self.reader, "encoder"), (self.writer, "decoder")):
            here = "reader" if stack is self.reader else "writer"
            yield f"{here}.near.weight", f"{theirs}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
            yield f"{here}.norm.weight", f"{theirs}.final_layer_norm.weight"
            for number, block in enumerate(stack.row()):
                for own, name in block.named_as():
                    yield f"{here}.blocks.{number}.{own}.weight", f"{theirs}.block.{number}.layer.{name}.weight"


class _Stack(nn.Module):
    """Blocks that share how much distance counts: `near` `(buckets, heads)`."""

    def __init__(self, shape: T5.Shape, depth: int, *, writes: bool) -> None:
        super().__init__()
        self.both, self.far = not writes, shape.far
        self.near = nn.Embedding(shape.buckets, shape.heads)
        self.blocks = nn.ModuleList(_Block(shape, writes) for _ in range(depth))
        self.norm = nn.RMSNorm(shape.width, shape.little)

    def forward(
        self,
        tokens: Tensor,
        own: Tensor,
        before: Kept | None = None,
        memory: Kept | None = None,
        read: Tensor | None = None,
    ) -> tuple[Tensor, Kept]:
        kept: Kept = []
        for number, block in enumerate(self.blocks):
            taken = (memory[number], read) if memory is not None and read is not None else None
            tokens, seen = block(tokens, own, before[number] if before else None, taken)
            kept.append(seen)
        return self.norm(tokens), kept

    def row(self) -> "list[_Block]":
        return [block for block in self.blocks if isinstance(block, _Block)]

    def apart(self, places: Tensor, count: int) -> Tensor:
        """`(1, heads, M, count)`: what is added where the token at each place looks at each of `count`."""
        distances = torch.arange(count) - places[:, None]
        found = bucket(distances, self.near.num_embeddings, self.far, both=self.both).to(self.near.weight.device)
        added: Tensor = self.near(found)
        return added.permute(2, 0, 1)[None]


class _Block(nn.Module):
    def __init__(self, shape: T5.Shape, writes: bool) -> None:
        super().__init__()
        inner, gated = shape.heads * shape.part, shape.form == "gated-gelu"
        self.looks, self.norm1 = _Attention(shape.width, inner, shape.heads), nn.RMSNorm(shape.width, shape.little)
        self.takes = _Attention(shape.width, inner, shape.heads) if writes else None
        self.norm2 = nn.RMSNorm(shape.width, shape.little) if writes else None
        self.gate = nn.Linear(shape.width, shape.hidden, bias=False) if gated else None
        self.wide, self.narrow = (
            nn.Linear(*pair, bias=False) for pair in ((shape.width, shape.hidden), (shape.hidden, shape.width))
        )
        self.norm3 = nn.RMSNorm(shape.width, shape.little)

    def forward(
        self,
        tokens: Tensor,
        own: Tensor,
        before: tuple[Tensor, Tensor] | None,
        taken: tuple[tuple[Tensor, Tensor], Tensor] | None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        seen = self.norm1(tokens)
        keys, values = self.looks.offered(seen)
        if before is not None:
            keys, values = torch.cat([before[0], keys], 2), torch.cat([before[1], values], 2)
        tokens = tokens + self.looks(seen, (keys, values), own)
        if self.takes is not None and self.norm2 is not None and taken is not None:
            tokens = tokens + self.takes(self.norm2(tokens), *taken)
        seen = self.norm3(tokens)
        wide = self.wide(seen)
        wide = wide.relu() if self.gate is None else F.gelu(self.gate(seen), approximate="tanh") * wide
        return tokens + self.narrow(wide), (keys, values)

    def named_as(self) -> Iterator[tuple[str, str]]:
        parts = [("looks", "SelfAttention")] + ([("takes", "EncDecAttention")] if self.takes is not None else [])
        for number, (own, name) in enumerate(parts):
            yield f"norm{number + 1}", f"{number}.layer_norm"
            for here, there in zip(("ask", "key", "value", "out"), "qkvo", strict=True):
                yield f"{own}.{here}", f"{number}.{name}.{there}"
        last = f"{len(parts)}.DenseReluDense"
        yield "norm3", f"{len(parts)}.layer_norm"
        yield "narrow", f"{last}.wo"
        if self.gate is None:
            yield "wide", f"{last}.wi"
        else:
            yield "gate", f"{last}.wi_0"
            yield "wide", f"{last}.wi_1"


class _Attention(nn.Module):
    """Products as they are: T5 divides them by nothing."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.key, self.value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.out = nn.Linear(inner, width, bias=False)

    def offered(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self._parted(self.key(tokens)), self._parted(self.value(tokens))

    def forward(self, tokens: Tensor, offered: tuple[Tensor, Tensor], added: Tensor) -> Tensor:
        mixed = F.scaled_dot_product_attention(self._parted(self.ask(tokens)), *offered, attn_mask=added, scale=1.0)
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result

    def _parted(self, tokens: Tensor) -> Tensor:
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


def bucket(distances: Tensor, buckets: int, far: int, *, both: bool) -> Tensor:
    """The bucket of each distance: short ones have one each, longer ones share it, evenly on a log scale up to `far`.

    both: half of them are for what comes behind (above 0); else all are for what came before, 0 for what comes behind.
    """
    start = (distances > 0).long() * (buckets // 2) if both else torch.zeros_like(distances)
    count = buckets // 2 if both else buckets
    steps, exact = distances.abs() if both else (-distances).clamp_min(0), count // 2
    scale = (steps.clamp_min(1).float() / exact).log() / math.log(far / exact)
    shared = exact + (scale * (count - exact)).long()
    return start + torch.where(steps < exact, steps, shared.clamp_max(count - 1))


def _unseen(mask: Tensor) -> Tensor:
    """`(B, 1, 1, L)`: to add where one is not to be looked at."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -math.inf)[:, None, None]
