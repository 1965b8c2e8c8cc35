"""No word is foretold from itself or from what comes later; the chain rule by hand; that order is learned."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.self_supervised.next_token import NextToken, shifted
from components.modalities.text.policy import Policy
from components.models.encoders.lstm import Lstm
from components.models.encoders.transformer import Transformer
from components.models.token_encoder import TokenEncoder
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from tests.texts import records_of, views_of

GIVEN = views_of(["a b c d e f g h"]).input
CAUSAL = Transformer.Config(width=24, depth=2, heads=2, causal=True)


def _encoders() -> list[TokenEncoder]:
    torch.manual_seed(0)
    turned = CAUSAL.model_copy(update={"positions": "rotary"})
    one_way = Lstm.Config(width=8, hidden=8, bidirectional=False)
    return [Transformer(GIVEN, CAUSAL), Transformer(GIVEN, turned), Lstm(GIVEN, one_way)]


def test_what_is_known_before_each_word_is_the_vector_of_the_word_before_it() -> None:
    vectors = torch.arange(6.0).view(1, 3, 2)
    assert shifted(vectors, torch.tensor([9.0, 9.0])).tolist() == [[[9, 9], [0, 1], [2, 3]]]


@pytest.mark.parametrize("number", range(3))
def test_a_later_word_changes_nothing_that_came_before(number: int) -> None:
    encoder = _encoders()[number].eval()
    one, other = torch.tensor([[2, 3, 4, 5, 6]]), torch.tensor([[2, 3, 4, 7, 8]])
    torch.testing.assert_close(encoder.read(one)[:, :3], encoder.read(other)[:, :3])
    assert not torch.allclose(encoder.read(one)[:, 3], encoder.read(other)[:, 3])


def test_the_loss_is_the_text_s_by_the_chain_rule() -> None:
    method = NextToken(_encoders()[0], NextToken.Config()).eval()
    views = torch.tensor([[2, 3, 4], [5, 1, 0]])
    total = 0.0
    for text in ([2, 3, 4], [5, 1]):
        for place, word in enumerate(text):
            before = method.encoder.read(torch.tensor([text]))[:, place - 1] if place else method.start[None]
            total -= F.log_softmax(method.head(before, method.encoder.table), 1)[0, word].item()
    assert method.training_step(Batch([views])).loss.item() == pytest.approx(total / 5, rel=1e-5)


def test_an_encoder_that_sees_what_comes_is_refused() -> None:
    both = Transformer(GIVEN, CAUSAL.model_copy(update={"causal": False}))
    for encoder in (both, Lstm(GIVEN, Lstm.Config())):
        with pytest.raises(WinnowError, match=r"causal: true, or lstm with bidirectional: false"):
            NextToken(encoder, NextToken.Config())


def test_order_is_learned() -> None:
    """Words that follow each other in a circle: where one is known, so is the next."""
    letters, draw = "abcdefgh", np.random.default_rng(0)
    texts = [" ".join(letters[(start + step) % 8] for step in range(9)) for start in draw.integers(0, 8, 128)]
    views = views_of(texts, weak=Policy())
    torch.manual_seed(0)
    method = NextToken(Transformer(views.input, CAUSAL), NextToken.Config())
    loop = LoopConfig(epochs=15, batch_size=32, learning_rate=0.01, precision="float32")
    history = train(method, Corpus(records_of(texts), np.arange(128), views), loop, seed=0)
    assert history[-1]["loss"] < 0.5 * math.log(8)
    assert history[-1]["accuracy"] > 0.8
