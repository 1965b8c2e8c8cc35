"""A sentence encoder that others trained, as a folder of sentence-transformers holds it: BERT's network, and a mean.

Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084; the network: Devlin et al. 2019,
https://arxiv.org/abs/1810.04805
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from components.core.config import Config as BaseConfig
from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders import Encoder
from components.models.encoders.transformer import mean_of
from components.models.library_names import to_library
from components.models.token_encoder import by_length
from components.models.transformer_block import attention

DEEPEST = 48
MARKS = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
THEIRS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm2": "output.LayerNorm",
}


class SentenceTransformers(Encoder):
    """For `pretrain.weights: {path: FOLDER/model.safetensors}`, whose tokenizer.json brings the vocabulary.

    Numbers of entries from 2 on are the vocabulary's own from 0 on. A vector is the mean over the words and the marks
    before and behind them, of length 1.
    """

    takes = ("tokens",)
    library_names: ClassVar[Mapping[str, str]] = {
        "table.": "embeddings.word_embeddings.",
        "places.": "embeddings.position_embeddings.",
        "kinds.": "embeddings.token_type_embeddings.",
        "norm.": "embeddings.LayerNorm.",
        **{
            f"blocks.{number}.{own}.": f"encoder.layer.{number}.{name}."
            for number in range(DEEPEST)
            for own, name in THEIRS.items()
        },
    }

    class Config(BaseConfig):
        """As the folder's config.json says, by default MiniLM-L6's: width (`hidden_size`), depth (`num_hidden_layers`),
        heads (`num_attention_heads`), hidden (`intermediate_size`), places (`max_position_embeddings`). unknown, first,
        last: numbers of the vocabulary's [UNK], [CLS] and [SEP].
        """

        width: int = Field(default=384, ge=2, le=8192)
        depth: int = Field(default=6, ge=1, le=DEEPEST)
        heads: int = Field(default=12, ge=1, le=256)
        hidden: int = Field(default=1536, ge=1, le=32768)
        places: int = Field(default=512, ge=3, le=100_000)
        unknown: int = Field(default=100, ge=0)
        first: int = Field(default=101, ge=0)
        last: int = Field(default=102, ge=0)

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        self.config = config
        if config.width % config.heads:
            raise WinnowError(
                f"sentence_transformers cannot share a width of {config.width} among {config.heads} heads: give "
                "pretrain.encoder what the folder's config.json says."
            )
        self.dim, entries = config.width, max(1, given.symbols - 2)
        self.most = config.places - 2
        # a vocabulary of few words has no marks of its own: then its last word stands for them
        self.unknown, self.first, self.last = (
            min(number, entries - 1) for number in (config.unknown, config.first, config.last)
        )
        self.table = nn.Embedding(entries, self.dim)
        self.places, self.kinds = nn.Embedding(config.places, self.dim), nn.Embedding(2, self.dim)
        self.norm = nn.LayerNorm(self.dim, eps=1e-12)
        self.blocks = _Row(*(_Block(self.dim, config.heads, config.hidden) for _ in range(config.depth)))

    def block_list(self) -> list[nn.Module]:
        """The blocks of the transformer."""
        return list(self.blocks)

    def forward(self, views: Tensor) -> Tensor:
        """Numbers `(N, T)` -> `(N, dim)`; of a longer text as many words as the network has places for."""
        return by_length(lambda part, _: self._vectors(part), views[:, : self.most])

    def sentence_parts(self, tokenizer: bytes, length: int) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        """BERT, a mean, and length 1, as the folder was that the weights came from."""
        most = min(length + 2, self.config.places)  # with the marks
        own = {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": self.table.num_embeddings,
            "hidden_size": self.dim,
            "num_hidden_layers": self.config.depth,
            "num_attention_heads": self.config.heads,
            "intermediate_size": self.config.hidden,
            "max_position_embeddings": self.config.places,
            "type_vocab_size": 2,
            "hidden_act": "gelu",
            "layer_norm_eps": self.norm.eps,
            "pad_token_id": 0,
        }
        files = {
            "config.json": own,
            "model.safetensors": to_library(self, self.state_dict()),
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", **MARKS, "model_max_length": most},
            "sentence_bert_config.json": {"max_seq_length": most, "do_lower_case": False},
            "1_Pooling/config.json": {"word_embedding_dimension": self.dim, "pooling_mode_mean_tokens": True},
        }
        return {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}, files

    def _vectors(self, views: Tensor) -> Tensor:
        lengths = (views != 0).sum(1, keepdim=True)
        own = F.pad(torch.where(views == 1, self.unknown, (views - 2).clamp_min(0)), (1, 1))
        own[:, 0] = self.first
        own = own.scatter(1, lengths + 1, self.last)
        numbers = torch.arange(own.shape[1], device=views.device)
        mask = numbers < lengths + 2
        tokens = self.norm(self.table(own) + self.places(numbers) + self.kinds.weight[0])
        return F.normalize(mean_of(self.blocks(tokens, mask), mask), dim=1)


class _Row(nn.Sequential):
    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """mask: `(B, K)`; what stands behind those K are prompts, which all see."""
        seen = F.pad(mask, (0, tokens.shape[1] - mask.shape[1]), value=True)[:, None, None]
        for block in self:
            tokens = block(tokens, seen)
        return tokens


class _Block(nn.Module):
    """BERT's, normalized last."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-12) for _ in range(2))

    def forward(self, tokens: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (
            layer(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        mixed = attention(query, key, value, seen).transpose(1, 2).flatten(2)
        tokens = self.norm1(tokens + self.out(mixed))
        result: Tensor = self.norm2(tokens + self.narrow(F.gelu(self.wide(tokens))))
        return result
