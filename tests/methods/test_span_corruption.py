"""What is cut out and what is to be said, by hand; lengths and shares; what the decoder cannot see; that it learns."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.self_supervised.span_corruption import SpanCorruption
from components.methods.spans import Cut, cut, most_spans
from components.modalities.text.policy import Policy
from components.models.encoders.transformer import Transformer
from components.models.word_decoder import WordDecoder
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from tests.texts import about, records_of, views_of

TINY = Transformer.Config(width=24, depth=1, heads=2)
SYMBOLS = 100


def _cut(views: torch.Tensor, share: float = 0.15, span: float = 3.0) -> Cut:
    lots = torch.rand(len(views), 2, 64, generator=torch.Generator().manual_seed(0))
    return cut(views, lots, share, span, SYMBOLS)


def _restored(seen: list[int], marks: list[int], said: list[int]) -> list[int]:
    """Each span put back where its mark stands."""
    spans: dict[int, list[int]] = {}
    for number in said:
        spans.setdefault(number - SYMBOLS + 1, []) if number >= SYMBOLS else spans[max(spans)].append(number)
    return [word for number, mark in zip(seen, marks, strict=True) for word in (spans[mark] if mark else [number])]


def test_a_text_of_two_words_by_hand() -> None:
    found = _cut(torch.tensor([[7, 8]]))
    assert found.seen.tolist() == [[7, 1]]
    assert found.marks.tolist() == [[0, 1]]
    assert found.said.tolist() == [[SYMBOLS, 8, SYMBOLS + 1]]


@pytest.mark.parametrize("length", [1, 2, 3, 10, 40, 60])
def test_what_is_left_and_what_is_said_are_the_whole_text(length: int) -> None:
    text = list(range(2, 2 + length))
    found = _cut(torch.tensor([text + [0] * 3]))
    seen, marks = found.seen[0].tolist(), found.marks[0].tolist()
    assert _restored(seen, marks, found.said[0].tolist()) == text
    spans = max(marks)
    assert [mark for mark in marks if mark] == list(range(1, spans + 1))
    assert not any(one and other for one, other in pairwise(marks))  # a word between two spans
    assert length - sum(number > 1 for number in seen) == (
        min(max(1, round(0.15 * length)), length - 1) if length > 1 else 0
    )
    assert spans <= most_spans(60, 0.15, 3.0)


def test_spans_are_as_long_as_asked_on_average() -> None:
    found = _cut(torch.full((200, 60), 5))
    words = (found.said[:, :-1] == 5).sum().item()
    assert words / found.marks.count_nonzero().item() == pytest.approx(3, abs=0.01)
    assert words == 200 * 9


def test_a_row_depends_on_its_own_words_alone() -> None:
    views = torch.tensor([[3, 4, 5, 6, 7, 8, 9, 2], [2, 3, 4, 0, 0, 0, 0, 0]])
    both, lots = _cut(views), torch.rand(2, 2, 64, generator=torch.Generator().manual_seed(0))
    alone = cut(views[1:], lots[1:], 0.15, 3.0, SYMBOLS)
    assert both.seen[1][: alone.seen.shape[1]].tolist() == alone.seen[0].tolist()


def test_the_decoder_sees_no_later_word_and_nothing_behind_a_text() -> None:
    torch.manual_seed(0)
    decoder = WordDecoder(8, 6, 2, 2).eval()
    words, memory, mask = torch.randn(1, 4, 8), torch.randn(1, 3, 6), torch.tensor([[True, True, False]])
    made = decoder(words, memory, mask)
    later, behind = words.clone(), memory.clone()
    later[:, 2:], behind[:, 2] = 0, 9
    torch.testing.assert_close(decoder(later, memory, mask)[:, :2], made[:, :2])
    torch.testing.assert_close(decoder(words, behind, mask), made)
    assert not torch.allclose(decoder(words, -memory, mask), made)


def test_a_text_without_words_has_a_finite_loss() -> None:
    method = SpanCorruption(Transformer(views_of(["a b c"]).input, TINY), SpanCorruption.Config(heads=2))
    output = method.training_step(Batch([torch.tensor([[0, 0], [2, 0]])]))
    assert output.loss.isfinite()


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(WinnowError, match="among 5 heads"):
        SpanCorruption(Transformer(views_of(["a b c"]).input, TINY), SpanCorruption.Config(heads=5))


def test_it_learns_what_stands_in_the_gaps() -> None:
    texts, _ = about(240)
    views = views_of(texts, weak=Policy())
    torch.manual_seed(0)
    method = SpanCorruption(Transformer(views.input, TINY), SpanCorruption.Config(heads=2))
    loop = LoopConfig(epochs=12, batch_size=48, learning_rate=0.01, precision="float32")
    history = train(method, Corpus(records_of(texts), np.arange(240), views), loop, seed=0)
    assert history[-1]["loss"] < 0.75 * history[0]["loss"]
    assert history[-1]["accuracy"] > history[0]["accuracy"]
