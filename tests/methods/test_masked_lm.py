"""What is hidden and what stands there, by the paper's shares; the loss by hand and by torch's own; who is refused."""

import math

import pytest
import torch
from torch.nn import functional as F

from components.core import plugins
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.foretelling import figures, share_of, surprise
from components.methods.self_supervised.masked_lm import MaskedLM, hide
from components.modalities.text.policy import Policy
from components.models.encoders.attention_bag import AttentionBag
from components.models.encoders.transformer import Transformer
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from tests.texts import about, records_of, views_of

TINY = Transformer.Config(width=24, depth=1, heads=2)


def _lots(count: int, length: int) -> torch.Tensor:
    return torch.rand(count, 3, length, generator=torch.Generator().manual_seed(0))


def test_of_chosen_words_most_are_hidden_some_are_others_and_some_stay() -> None:
    views = torch.full((500, 60), 7)
    seen, chosen = hide(views, _lots(500, 60), 0.15, 1000)
    assert chosen.double().mean().item() == pytest.approx(0.15, abs=0.01)
    assert (seen[chosen] == 1).double().mean().item() == pytest.approx(0.8, abs=0.02)
    assert (seen[chosen] == 7).double().mean().item() == pytest.approx(0.1, abs=0.02)
    assert torch.equal(seen[~chosen], views[~chosen])
    assert int(seen[(seen != 7) & (seen != 1)].min()) >= 2


def test_neither_unknown_words_nor_what_is_behind_a_text_are_hidden_and_of_every_text_one_word_is() -> None:
    views = torch.tensor([[5, 1, 0, 0], [1, 1, 6, 7], [0, 0, 0, 0]])
    seen, chosen = hide(views, 0.5 + _lots(3, 4) / 2, 0.01, 9)
    assert chosen.sum(1).tolist() == [1, 1, 0]
    assert not chosen[views < 2].any()
    assert torch.equal(seen[views == 0], views[views == 0])


def test_the_loss_is_the_logarithm_of_the_chance_given_to_the_word() -> None:
    scores = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    total = surprise(scores, torch.tensor([0, 1]))
    assert total.item() == pytest.approx(math.log(2) + math.log(10))
    assert share_of(total, 2).item() == pytest.approx(F.cross_entropy(scores, torch.tensor([0, 1])).item())


def test_no_word_to_foretell_is_no_loss_with_a_finite_gradient() -> None:
    scores = torch.zeros(0, 5, requires_grad=True)
    loss = share_of(surprise(scores, torch.zeros(0, dtype=torch.int64)), 0)
    loss.backward()
    assert loss.item() == 0


def test_bits_per_byte_do_not_depend_on_how_a_text_is_cut() -> None:
    """A coin for each of four bytes, alone or two at a time, is one bit a byte."""
    alone = figures(torch.tensor(math.log(2)), torch.zeros(4, 3), torch.tensor([1, 1, 1, 1]), torch.tensor([0.0, 1, 1]))
    paired = figures(torch.tensor(math.log(4)), torch.zeros(2, 3), torch.tensor([2, 2]), torch.tensor([0.0, 1, 2]))
    assert alone["bits_per_byte"].item() == pytest.approx(1)
    assert paired["bits_per_byte"].item() == pytest.approx(1)
    assert paired["perplexity"].item() == pytest.approx(4)
    assert "bits_per_byte" not in figures(torch.tensor(1.0), torch.zeros(1, 3), torch.tensor([1]), torch.tensor([]))


@pytest.mark.parametrize("encoder", ["attention_bag", "word_vectors", "causal"])
def test_an_encoder_that_does_not_show_both_sides_is_refused(encoder: str) -> None:
    given = views_of(["a b c"]).input
    choice = PluginChoice(name=encoder) if encoder != "causal" else PluginChoice(name="transformer", causal=True)
    network = plugins.build("encoder", choice, given, where="encoder")
    with pytest.raises(WinnowError, match=r"set pretrain\.encoder to transformer with causal: false"):
        plugins.build("self_supervised", PluginChoice(name="masked_lm"), network, where="method")


def test_a_hidden_word_is_not_given_away_by_what_it_was() -> None:
    views = views_of(["the oak the owl", "a tide a reef"])
    torch.manual_seed(0)
    method = MaskedLM(Transformer(views.input, TINY), MaskedLM.Config(hidden=0.9)).eval()
    numbers = torch.tensor([[2, 3, 4, 5]])
    lots = torch.zeros(1, 3, 4)
    seen, chosen = hide(numbers, lots, 0.9, 9)
    others, _ = hide(numbers + 1, lots, 0.9, 9)
    assert chosen.all()
    assert torch.equal(method.encoder.read(seen), method.encoder.read(others))


def test_it_learns_which_words_go_together() -> None:
    texts, _ = about(240)
    views = views_of(texts, weak=Policy())
    torch.manual_seed(0)
    method = MaskedLM(Transformer(views.input, TINY), MaskedLM.Config())
    loop = LoopConfig(epochs=12, batch_size=48, learning_rate=0.01, precision="float32")
    history = train(method, Corpus(records_of(texts), torch.arange(240).numpy(), views), loop, seed=0)
    unigram = -sum(share * math.log(share) for share in views.input.frequencies if share)
    assert history[-1]["loss"] < 0.93 * unigram  # more than how frequent words are
    assert history[-1]["masked_accuracy"] > history[0]["masked_accuracy"]


def test_what_is_shown_in_evaluation_draws_nothing_of_its_own() -> None:
    views = views_of(["the oak the owl", "a tide a reef"])
    method = MaskedLM(Transformer(views.input, TINY), MaskedLM.Config()).eval()
    bag = AttentionBag(views.input, AttentionBag.Config(width=8))
    assert method.encoder.sees != bag.sees
    losses = {
        method.training_step(
            Batch([torch.tensor([[2, 3, 4, 5]])], generator=torch.Generator().manual_seed(1))
        ).loss.item()
        for _ in range(2)
    }
    assert len(losses) == 1
