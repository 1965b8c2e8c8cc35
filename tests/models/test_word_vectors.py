"""Averaged word vectors: the paper's weights by hand, and what is taken out of them."""

import numpy as np
import pytest
import torch

from components.modalities import Input
from components.models.encoders.word_vectors import WordVectors

GIVEN = Input("tokens", (4,), 5, (0.0, 0.0, 0.6, 0.3, 0.1))


def _encoder(smoothing: float = 0.1) -> WordVectors:
    encoder = WordVectors(GIVEN, WordVectors.Config(width=2, smoothing=smoothing))
    with torch.no_grad():
        encoder.table.weight.copy_(torch.tensor([[9.0, 9.0], [9.0, 9.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    return encoder.eval()


def test_rare_words_count_more_and_unknown_ones_not_at_all() -> None:
    vector = _encoder()(torch.tensor([[2, 4, 1, 0]]))
    frequent, rare = 0.1 / 0.7, 0.1 / 0.2
    assert vector[0].tolist() == pytest.approx([(frequent + rare) / 2, rare / 2])


def test_without_smoothing_it_is_the_plain_mean() -> None:
    assert _encoder(0)(torch.tensor([[2, 3, 0, 0]]))[0].tolist() == [0.5, 0.5]


def test_how_far_a_text_is_padded_changes_nothing() -> None:
    encoder = _encoder()
    assert torch.equal(encoder(torch.tensor([[2, 3]])), encoder(torch.tensor([[2, 3, 0, 0]])))


def test_a_text_without_a_known_word_has_a_finite_vector() -> None:
    assert _encoder()(torch.tensor([[1, 0], [0, 0]])).tolist() == [[0, 0], [0, 0]]


def test_what_all_texts_share_is_taken_out() -> None:
    encoder, texts = _encoder(0), torch.tensor([[2, 0], [3, 0], [4, 0], [2, 3]])
    pooled = encoder.pooled(texts)
    encoder.settle(pooled.T @ pooled)
    vectors = encoder(texts)
    assert (vectors @ encoder.common).abs().max() < 1e-6
    assert vectors.norm() < pooled.norm()
    assert encoder.common.norm() == pytest.approx(1)


def test_a_step_teaches_only_words_that_were_there() -> None:
    encoder = _encoder()
    encoder(torch.tensor([[2, 3, 0, 0]])).sum().backward()
    gradient = encoder.table.weight.grad
    assert gradient is not None
    assert gradient.abs().sum(1).gt(0).tolist() == [False, False, True, True, False]
    assert np.isfinite(gradient.numpy()).all()
