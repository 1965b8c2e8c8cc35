"""Dropout of language models: nothing in evaluation or at rate 0, and of each sample the same in any batch."""

from dataclasses import replace

import pytest
import torch

from components.core import plugins
from components.core.config import PluginChoice
from components.methods.contracts import Batch
from components.methods.keyed_dropout import read_dropping
from components.models.encoders.lstm import Lstm
from components.models.encoders.transformer import Transformer
from components.models.token_encoder import TokenEncoder
from tests.texts import views_of

GIVEN = views_of(["a b c d e f g h"]).input
TEXTS = torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0], [3, 3, 2, 0], [9, 8, 7, 6]])


def _encoders() -> list[TokenEncoder]:
    torch.manual_seed(0)
    both = Transformer.Config(width=16, depth=2, heads=2)
    return [Transformer(GIVEN, both), Lstm(GIVEN, Lstm.Config(width=8, hidden=8))]


def _batch(rows: list[int], seed: int = 0) -> Batch:
    whole = Batch([TEXTS[rows]], keys=torch.tensor(rows))
    return replace(whole, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("number", range(2))
def test_what_is_dropped_of_a_text_does_not_depend_on_who_else_is_in_its_batch(number: int) -> None:
    encoder = _encoders()[number].train()
    whole = read_dropping(encoder, TEXTS, 0.4, _batch([0, 1, 2, 3]))
    shares = [read_dropping(encoder, TEXTS[rows], 0.4, _batch(rows)) for rows in ([0, 1], [2, 3])]
    there = TEXTS > 0
    torch.testing.assert_close(torch.cat(shares)[there], whole[there])
    other = read_dropping(encoder, TEXTS, 0.4, _batch([0, 1, 2, 3], seed=1))
    assert not torch.allclose(other[there], whole[there])


@pytest.mark.parametrize("number", range(2))
def test_nothing_is_dropped_without_a_rate_or_in_evaluation(number: int) -> None:
    encoder = _encoders()[number].train()
    plain = encoder.read(TEXTS)
    torch.testing.assert_close(read_dropping(encoder, TEXTS, 0.0, _batch([0, 1, 2, 3])), plain)
    torch.testing.assert_close(read_dropping(encoder.eval(), TEXTS, 0.4, _batch([0, 1, 2, 3])), plain)


def test_an_lstm_s_vectors_lose_their_share_of_numbers() -> None:
    vectors = read_dropping(_encoders()[1].train(), TEXTS.repeat(50, 1), 0.4, _batch([0, 1, 2, 3] * 50))
    assert (vectors == 0).double().mean().item() == pytest.approx(0.4, abs=0.1)


@pytest.mark.parametrize("name", ["next_token", "bidirectional_lm"])
def test_a_language_model_drops_in_training_alone(name: str) -> None:
    losses = []
    for rate in (0.0, 0.5):
        torch.manual_seed(0)
        lstm = Lstm(GIVEN, Lstm.Config(width=8, hidden=8, bidirectional=name == "bidirectional_lm"))
        method = plugins.build("self_supervised", PluginChoice(name=name, dropout=rate), lstm, where="m", kind="tokens")
        trained = method.train().training_step(_batch([0, 1, 2, 3])).loss.item()
        asked = method.eval().training_step(_batch([0, 1, 2, 3])).loss.item()
        losses.append((trained, asked))
    assert losses[0][0] == pytest.approx(losses[0][1])
    assert losses[1][1] == pytest.approx(losses[0][1])
    assert losses[1][0] != pytest.approx(losses[0][0], rel=1e-4)
