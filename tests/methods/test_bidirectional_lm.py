"""Neither reader sees the word it foretells; what either knows, by hand; that both learn."""

import math

import numpy as np
import pytest
import torch

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.self_supervised.bidirectional_lm import BidirectionalLM, both_sides
from components.modalities.text.policy import Policy
from components.models.encoders.lstm import Lstm
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from tests.texts import records_of, views_of

GIVEN = views_of(["a b c d e f g h"]).input
SMALL = Lstm.Config(width=16, hidden=12)


def _encoder() -> Lstm:
    torch.manual_seed(0)
    return Lstm(GIVEN, SMALL).eval()


def test_each_word_is_foretold_from_the_vectors_beside_it() -> None:
    vectors = torch.tensor([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [0.0, 0.0]]])
    there = torch.tensor([[True, True, True, False]])
    before, behind = both_sides(vectors, there, torch.tensor([[-1.0], [-2.0]]))
    assert before[0, :3, 0].tolist() == [-1, 1, 2]
    assert behind[0, :3, 0].tolist() == [20, 30, -2]


@pytest.mark.parametrize("place", range(4))
def test_neither_reader_sees_the_word_itself(place: int) -> None:
    encoder, one = _encoder(), torch.tensor([[2, 3, 4, 5, 0]])
    other = one.clone()
    other[0, place] = 8
    ends = torch.zeros(2, 12)
    known = [both_sides(encoder.read(views), views > 0, ends)[:, 0, place] for views in (one, other)]
    torch.testing.assert_close(*known)


def test_every_other_word_is_seen_by_one_of_them() -> None:
    encoder, one = _encoder(), torch.tensor([[2, 3, 4, 5]])
    for place in (0, 1, 3):
        other = one.clone()
        other[0, place] = 8
        known = [both_sides(encoder.read(views), views > 0, torch.zeros(2, 12))[:, 0, 2] for views in (one, other)]
        assert not torch.allclose(*known, atol=1e-6)


def test_how_far_a_text_is_padded_changes_nothing() -> None:
    method = BidirectionalLM(_encoder(), BidirectionalLM.Config()).eval()
    short, long = torch.tensor([[2, 3, 4]]), torch.tensor([[2, 3, 4, 0, 0]])
    torch.testing.assert_close(method.training_step(Batch([short])).loss, method.training_step(Batch([long])).loss)


def test_an_encoder_of_one_reader_is_refused() -> None:
    with pytest.raises(WinnowError, match="lstm with bidirectional: true"):
        BidirectionalLM(Lstm(GIVEN, SMALL.model_copy(update={"bidirectional": False})), BidirectionalLM.Config())


def test_order_is_learned_both_ways() -> None:
    letters, draw = "abcdefgh", np.random.default_rng(0)
    texts = [" ".join(letters[(start + step) % 8] for step in range(9)) for start in draw.integers(0, 8, 128)]
    views = views_of(texts, weak=Policy())
    torch.manual_seed(0)
    method = BidirectionalLM(Lstm(views.input, SMALL), BidirectionalLM.Config())
    loop = LoopConfig(epochs=15, batch_size=32, learning_rate=0.02, precision="float32")
    history = train(method, Corpus(records_of(texts), np.arange(128), views), loop, seed=0)
    assert history[-1]["loss"] < 0.5 * math.log(8)
