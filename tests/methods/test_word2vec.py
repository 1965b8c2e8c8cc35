"""word2vec: its loss and gradients by the paper's sum, what it is blind to, and that it learns what texts are about."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from components.core import plugins
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.self_supervised.word2vec import Word2vec, skip_gram
from components.modalities.text.policy import Policy
from components.models.encoders.word_vectors import WordVectors
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig, train
from tests.pictures import given
from tests.texts import about, records_of, views_of

WINDOW, WEIGHT = 2, 3.0


def _tables() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    first, second = (torch.randn(9, 4, generator=draw, dtype=torch.float64).requires_grad_() for _ in range(2))
    return first, second


def _by_pairs(
    table: torch.Tensor, contexts: torch.Tensor, words: list[int], texts: list[int], negatives: list[int]
) -> torch.Tensor:
    """The paper's equation 4, pair by pair."""
    total = torch.zeros((), dtype=torch.float64)
    for place, word in enumerate(words):
        for other, context in enumerate(words):
            apart = abs(place - other)
            if apart == 0 or apart > WINDOW or texts[place] != texts[other]:
                continue
            chance = (WINDOW + 1 - apart) / WINDOW
            total = total - chance * F.logsigmoid(table[word] @ contexts[context])
            for drawn in negatives:
                total = total - chance * WEIGHT / len(negatives) * F.logsigmoid(-table[word] @ contexts[drawn])
    return total


@pytest.mark.parametrize("count", [1, 7, 70])
def test_loss_and_gradients_are_those_of_the_sum_over_pairs(count: int) -> None:
    table, contexts = _tables()
    draw = np.random.default_rng(count)
    words, texts = draw.integers(2, 9, count), np.sort(draw.integers(0, 1 + count // 5, count))
    negatives = np.array([3, 5, 3])
    expected = _by_pairs(table, contexts, words.tolist(), texts.tolist(), negatives.tolist())
    tensors = [torch.from_numpy(one) for one in (words, texts, negatives)]
    loss, first, second = skip_gram(table.detach(), contexts.detach(), *tensors, WINDOW, WEIGHT)
    torch.testing.assert_close(loss, expected.detach())
    if count > 1:
        expected.backward()
        torch.testing.assert_close(first, table.grad)
        torch.testing.assert_close(second, contexts.grad)


def test_without_any_knowledge_every_guess_is_a_coin() -> None:
    nothing = torch.zeros(5, 3)
    loss, _, _ = skip_gram(nothing, nothing, torch.tensor([2, 3]), torch.tensor([0, 0]), torch.tensor([4]), 1, 5.0)
    assert loss.item() == pytest.approx(2 * (1 + 5) * math.log(2))


def test_no_words_at_all_are_no_loss() -> None:
    table = torch.ones(5, 3)
    nothing = torch.zeros(0, dtype=torch.int64)
    loss, first, _ = skip_gram(table, table, nothing, nothing, torch.tensor([4]), 1, 5.0)
    assert loss.item() == 0
    assert not first.any()


def test_frequent_words_are_passed_over_and_words_seen_never_are_not_drawn() -> None:
    views = views_of(["the oak the owl the fern", "the tide"])
    method = Word2vec(WordVectors(views.input, WordVectors.Config(width=4)), Word2vec.Config(passed_over=0.05 * 7))
    assert method.kept[:2].tolist() == [0, 0]
    assert method.kept[2].item() == pytest.approx(math.sqrt(0.05 / (4 / 8)))  # `the` is four of eight words
    assert method.kept[3:].tolist() == pytest.approx([math.sqrt(0.05 / (1 / 8))] * 4)
    assert method.lots[1] == 0


def test_an_encoder_without_a_table_of_words_is_refused() -> None:
    encoder = plugins.build("encoder", PluginChoice(name="small_resnet", width=8), given(1, 32), where="encoder")
    with pytest.raises(WinnowError, match=r"set pretrain\.encoder to word_vectors"):
        plugins.build("self_supervised", PluginChoice(name="word2vec"), encoder, where="pretrain.method")


def test_texts_about_one_thing_come_to_lie_together() -> None:
    texts, topics = about(240)
    views = views_of(texts, weak=Policy())
    torch.manual_seed(0)
    encoder = WordVectors(views.input, WordVectors.Config(width=16))
    records = records_of(texts)
    before = _purity(embed_all(encoder, views.plain, records), topics)
    method = Word2vec(encoder, Word2vec.Config())
    loop = LoopConfig(epochs=30, batch_size=60, learning_rate=0.03, precision="float32")
    history = train(method, Corpus(records, np.arange(240), views), loop, seed=0)
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    after = _purity(embed_all(encoder, views.plain, records), topics)
    assert after > 0.98
    assert after > before
    assert encoder.common.norm().item() == pytest.approx(1, abs=1e-5)


def _purity(vectors: np.ndarray, topics: np.ndarray) -> float:
    """Share of texts whose nearest other is about the same."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similar = unit @ unit.T
    np.fill_diagonal(similar, -2)
    return float((topics[similar.argmax(1)] == topics).mean())
