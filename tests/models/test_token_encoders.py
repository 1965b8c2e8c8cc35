"""Encoders of texts: padding changes nothing, order counts where it should, and the parts against torch's own."""

import math

import pytest
import torch
from torch.nn import functional as F

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.models.encoders.attention_bag import AttentionBag
from components.models.encoders.lstm import Lstm
from components.models.encoders.transformer import Transformer
from components.models.prompts import add_tokens
from components.models.token_encoder import TOGETHER, TokenEncoder, by_length, known
from components.models.transformer_block import attention, rotary_turns, turned
from tests.texts import views_of

GIVEN = views_of(["a b c d e f g h"]).input
TINY = {"width": 24, "depth": 2, "heads": 2}
ALL = [
    {"name": "transformer", **TINY},
    {"name": "transformer", "positions": "rotary", **TINY},
    {"name": "transformer", "causal": True, **TINY},
    {"name": "transformer", "pool": "first", **TINY},
    {"name": "lstm", "width": 8, "hidden": 6, "depth": 2},
    {"name": "lstm", "width": 8, "hidden": 6, "bidirectional": False},
    {"name": "attention_bag", "width": 8, "hidden": 4},
]


def _encoder(**options: object) -> TokenEncoder:
    torch.manual_seed(0)
    encoder: TokenEncoder = build("encoder", PluginChoice(**options), GIVEN, where="encoder", kind="tokens")
    return encoder.eval()


@pytest.mark.parametrize("options", ALL, ids=str)
def test_neither_padding_nor_other_texts_change_a_vector(options: dict[str, object]) -> None:
    encoder = _encoder(**options)
    lengths = torch.arange(3 * TOGETHER) % 7 + 1
    views = (torch.arange(8)[None] < lengths[:, None]) * (2 + torch.arange(8) % 5 + lengths[:, None] % 3)
    together = encoder(views)
    for row in (0, 5, 40):
        alone = views[row : row + 1, : int(lengths[row])]
        torch.testing.assert_close(encoder(alone), together[row : row + 1], rtol=1e-5, atol=1e-6)
        read = encoder.read(views)[row, : int(lengths[row])]
        torch.testing.assert_close(encoder.read(alone)[0], read, rtol=1e-5, atol=1e-6)
    assert encoder(torch.zeros(2, 4, dtype=torch.int64)).isfinite().all()


@pytest.mark.parametrize("options", ALL, ids=str)
def test_order_counts_for_all_but_a_bag(options: dict[str, object]) -> None:
    encoder = _encoder(**options)
    one, other = encoder(torch.tensor([[2, 3, 4, 5]])), encoder(torch.tensor([[2, 5, 4, 3]]))
    assert torch.allclose(one, other, atol=1e-6) == (encoder.sees == "itself")


def test_texts_come_back_in_their_order_from_parts_of_like_length() -> None:
    views = torch.arange(1, 101)[:, None] * (torch.arange(5)[None] <= torch.arange(100)[:, None] % 5)
    widths: list[int] = []

    def first(part: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        widths.append(part.shape[1])
        assert torch.equal(part[:, 0], rows + 1)
        return part[:, 0]

    assert torch.equal(by_length(first, views), torch.arange(1, 101))
    assert widths == sorted(widths)
    assert widths[0] < 5


def test_attention_is_the_softmax_of_scaled_products_over_what_is_seen() -> None:
    query, key, value = (torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(n)) for n in range(3))
    seen = torch.tensor([True, True, False])[None, None, None].expand(2, 1, 3, 3)
    scores = (query @ key.transpose(2, 3) / 2).masked_fill(~seen, -math.inf)
    torch.testing.assert_close(attention(query, key, value, seen), scores.softmax(3) @ value)
    torch.testing.assert_close(attention(query, key, value), F.scaled_dot_product_attention(query, key, value))


def test_turning_keeps_lengths_and_products_depend_on_the_distance_alone() -> None:
    turns = rotary_turns(12, 8)
    one, other = torch.randn(8), torch.randn(8)
    rows = turned(one.expand(12, 8), turns), turned(other.expand(12, 8), turns)
    torch.testing.assert_close(rows[0].norm(dim=1), one.norm().expand(12))
    assert torch.equal(rows[0][0], one)
    torch.testing.assert_close(rows[0][2] @ rows[1][5], rows[0][6] @ rows[1][9], rtol=1e-4, atol=1e-5)
    assert rows[0][1, 0].item() == pytest.approx(one[0].item() * math.cos(1) - one[4].item() * math.sin(1), abs=1e-6)


def test_both_readers_of_an_lstm_are_torchs_bidirectional_one() -> None:
    encoder = _encoder(name="lstm", width=8, hidden=6)
    assert isinstance(encoder, Lstm)
    theirs = torch.nn.LSTM(8, 6, batch_first=True, bidirectional=True)
    pairs = {"": encoder.rightward, "_reverse": encoder.leftward}
    theirs.load_state_dict(
        {f"{name}{end}": value for end, one in pairs.items() for name, value in one.state_dict().items()}
    )
    views = torch.tensor([[2, 3, 4, 5]])
    torch.testing.assert_close(encoder.read(views), theirs(encoder.embed(views))[0])


def test_in_a_bag_words_count_by_attention_and_alike_where_it_knows_nothing() -> None:
    encoder = _encoder(name="attention_bag", width=8, hidden=4)
    assert isinstance(encoder, AttentionBag)
    views = torch.tensor([[2, 3, 4, 0]])
    vectors = encoder.table(views)[0, :3]
    weights = encoder.score(torch.tanh(encoder.asked(vectors)))[:, 0].softmax(0)
    torch.testing.assert_close(encoder(views)[0], weights @ vectors)
    torch.nn.init.zeros_(encoder.score.weight)
    torch.testing.assert_close(encoder(views)[0], vectors.mean(0))


def test_the_first_word_s_vector_is_taken_where_it_is_asked_for() -> None:
    encoder = _encoder(name="transformer", pool="first", **TINY)
    views = torch.tensor([[2, 3, 4]])
    torch.testing.assert_close(encoder(views), encoder.read(views)[:, 0])


@pytest.mark.parametrize("causal", [False, True])
def test_learned_prompts_are_seen_by_every_word_and_no_padding_is(causal: bool) -> None:
    encoder = _encoder(name="transformer", causal=causal, positions="rotary", **TINY)
    add_tokens(encoder, 3)
    views = torch.tensor([[2, 3, 4], [5, 6, 0]])
    before = encoder.read(views)
    assert before.shape == (2, 3, 24)
    torch.testing.assert_close(encoder(views)[1], encoder(views[1:, :2])[0])
    with torch.no_grad():
        encoder.blocks.prompts.normal_()
    assert (encoder.read(views) - before).abs().amax(2)[known(views)].min() > 1e-6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 10, "heads": 4}, "among 4 heads"),
        ({"width": 6, "heads": 2, "positions": "rotary"}, "turns pairs of numbers"),
        ({"causal": True, "pool": "first"}, "set pool to mean"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(WinnowError, match=said):
        Transformer(GIVEN, Transformer.Config.model_validate(options))
