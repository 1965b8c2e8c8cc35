"""Span corruption: stretches of a text are cut out, and a decoder says one after the other what stood there.

Raffel et al. 2020, T5, https://arxiv.org/abs/1910.10683, section 3.1.4
"""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.methods import draws
from components.methods.contracts import Batch, SelfSupervisedMethod, StepOutput
from components.methods.foretelling import readers, share_of, surprise
from components.methods.spans import Cut, cut, most_spans
from components.models.encoders import Encoder
from components.models.token_encoder import TokenEncoder, by_length, known
from components.models.word_decoder import WordDecoder


class SpanCorruption(SelfSupervisedMethod):
    """An encoder that sees one mark in the place of each span, and a decoder that says mark, words, mark, words, ...

    The marks are entries of their own behind those of the vocabulary, in `marks`; to the encoder a mark is the unknown
    word and its own vector. The last row of `marks` is what the decoder begins from. The decoder is for training alone.
    """

    fits = ("tokens",)
    apart = True
    views = ("weak",)
    encoder: TokenEncoder

    class Config(BaseConfig):
        """hidden: share of the words that are cut out; span: mean length of a stretch (both: the paper's); depth and
        heads: of the decoder, which is as wide as the words' vectors.
        """

        hidden: float = Field(default=0.15, gt=0, lt=1)
        span: float = Field(default=3.0, ge=1)
        depth: int = Field(default=1, ge=1, le=64)
        heads: int = Field(default=4, ge=1, le=256)

    def __init__(self, encoder: Encoder, config: Config) -> None:
        super().__init__()
        self.encoder, self.config = readers(encoder, "span_corruption", "all", "halves"), config
        self.symbols, width = self.encoder.table.weight.shape
        if width % (2 * config.heads):
            raise WinnowError(
                f"span_corruption cannot share a width of {width} among {config.heads} heads of an even width: choose "
                "other heads in pretrain.method."
            )
        spans = most_spans(encoder.shape[0], config.hidden, config.span)
        self.marks = nn.Parameter(torch.randn(spans + 2, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(self.symbols + spans + 2))
        self.decoder = WordDecoder(width, self.encoder.width, config.heads, config.depth)

    def training_step(self, batch: Batch) -> StepOutput:
        """The mean over what the decoder is to say; `accuracy`, of the words in it, marks left out."""
        views = batch.views[0]
        lots = draws.uniform(batch, 2, self.encoder.shape[0])
        found = cut(views, lots, self.config.hidden, self.config.span, self.symbols)
        table = torch.cat([self.encoder.table.weight, self.marks])
        said = torch.cat([torch.full_like(found.said[:, :1], len(table) - 1), found.said[:, :-1]], 1)
        states = self.decoder(F.embedding(said, table), self._memory(found), known(found.seen))
        there = found.said > 0
        scores, targets = F.linear(states[there], table, self.bias), found.said[there]
        words = targets < self.symbols
        right = ((scores.argmax(1) == targets) & words).double().sum() / words.sum().clamp_min(1)
        return StepOutput(share_of(surprise(scores, targets), len(targets)), {"accuracy": right})

    def _memory(self, found: Cut) -> Tensor:
        """`(B, L, width)` what the encoder sees of the texts that are left."""
        marks = F.pad(self.marks, (0, 0, 1, 0))

        def seen(part: Tensor, rows: Tensor) -> Tensor:
            tokens = self.encoder.embed(part) + marks[found.marks[rows, : part.shape[1]]]
            return F.pad(self.encoder.encode(tokens, known(part)), (0, 0, 0, found.seen.shape[1] - part.shape[1]))

        return by_length(seen, found.seen)
