"""What is hidden and what it is compared with, by hand; the loss by the paper's formula and by transformers' own."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.foretelling import surprise
from components.methods.hidden_frames import distractors, stretches
from components.methods.self_supervised.wav2vec2 import Quantizer, Wav2vec2, diversity, in_use, likeness
from components.modalities import Input
from components.modalities.speech.policy import Policy
from components.models.encoders.mel_network import MelNetwork
from components.models.encoders.wave_transformer import WaveTransformer
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from tests.clips import records_of, views_of

TINY = WaveTransformer.Config(channels=16, strides=(5, 4, 4), width=32, depth=1, heads=2)


def _method(**options: object) -> Wav2vec2:
    torch.manual_seed(0)
    encoder = WaveTransformer(Input("wave", (4000,)), TINY)
    return Wav2vec2(encoder, Wav2vec2.Config.model_validate({"entries": 8, "size": 16, **options}))


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def _places(hidden: Tensor) -> list[list[int]]:
    return [row.nonzero()[:, 0].tolist() for row in hidden]


def test_stretches_begin_where_lots_are_lowest_and_may_overlap() -> None:
    lots = torch.full((2, 10), 0.9)
    lots[0, [1, 6]] = lots[1, [1, 2]] = torch.tensor([0.1, 0.2])
    lots[:, 8:] = 0  # a whole stretch does not fit there
    hidden = stretches(torch.ones(2, 10, dtype=torch.bool), lots, 0.2, 3)
    assert _places(hidden) == [[1, 2, 3, 6, 7, 8], [1, 2, 3, 4]]


def test_of_every_clip_some_frames_are_hidden_and_never_more_than_there_are() -> None:
    lengths = torch.tensor([1, 2, 5, 19, 20, 60])
    mask = torch.arange(60) < lengths[:, None]
    hidden = stretches(mask, _random(6, 60), 0.065, 10)
    assert not hidden[~mask].any()
    assert hidden.sum(1)[:5].tolist() == [1, 1, 2, 9, 10]
    assert 10 < hidden.sum(1)[5] <= 40


def test_about_half_of_a_long_clip_is_hidden_with_the_shares_of_the_paper() -> None:
    hidden = stretches(torch.ones(20, 500, dtype=torch.bool), _random(20, 500), 0.065, 10)
    assert hidden.double().mean().item() == pytest.approx(0.48, abs=0.02)  # fewer at its ends


def test_distractors_follow_in_a_circle_of_the_clips_own_hidden_frames() -> None:
    hidden = torch.tensor([[True, False, True, True, True], [False, True, False, False, False]])
    lots = torch.tensor([[0.4, 0.0, 0.1, 0.3, 0.2], [0.1, 0.2, 0.3, 0.4, 0.5]])  # in the first the order 2, 4, 3, 0
    first, second = distractors(hidden, lots, 2)
    assert _places(first) == [[2, 4], [], [3, 4], [0, 2], [0, 3]]
    assert not second.any()
    everything = distractors(hidden, lots, 100)[0]
    assert _places(everything) == [[2, 3, 4], [], [0, 3, 4], [0, 2, 4], [0, 2, 3]]


def test_every_other_frame_is_drawn_alike_often() -> None:
    drawn = distractors(torch.ones(6000, 6, dtype=torch.bool), _random(6000, 6), 2).double().mean(0)
    assert drawn.diagonal().sum() == 0
    np.testing.assert_allclose(drawn[~torch.eye(6, dtype=torch.bool)], 2 / 5, atol=0.03)


def test_the_contrast_is_equation_3() -> None:
    """A context along its own vector and across two others': -log of e^(1/T) among itself and two times e^0."""
    targets, rivals = torch.eye(3)[None], ~torch.eye(3, dtype=torch.bool)[None]
    scores = likeness(5 * targets, 2 * targets, rivals) / 0.5
    expected = math.log(1 + 2 * math.exp(-2))
    assert surprise(scores[0], torch.arange(3)).item() / 3 == pytest.approx(expected, rel=1e-5)
    nobody = likeness(targets, targets, torch.zeros_like(rivals))
    assert surprise(nobody[0], torch.arange(3)).item() == 0


def test_what_is_in_use_is_the_exponential_of_the_entropy_of_equation_4() -> None:
    shares = torch.tensor([[0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(in_use(shares), [2, 1], atol=1e-4)
    assert diversity(shares).item() == pytest.approx(1 - 3 / 8, abs=1e-4)
    assert diversity(torch.full((2, 4), 0.25)).item() == pytest.approx(0, abs=1e-5)
    some = F.softmax(_random(2, 4), 1)
    np.testing.assert_allclose(in_use(some).log(), -(some * some.log()).sum(1), atol=1e-5)


def test_a_frame_becomes_the_entries_that_score_and_noise_choose_and_the_gradient_is_that_of_chances() -> None:
    """Equation 1 with the noise written out, one group."""
    torch.manual_seed(0)
    quantizer, frames, lots = Quantizer(4, 1, 5, 6), _random(7, 4), _random(7, 1, 5, seed=1)
    vectors, entries, chances = quantizer(frames, lots, torch.tensor(0.7))
    scores = quantizer.score(frames)
    soft = ((scores - (-lots[:, 0].log()).log()) / 0.7).exp()
    soft = soft / soft.sum(1, keepdim=True)
    assert torch.equal(entries[:, 0], soft.argmax(1))
    torch.testing.assert_close(vectors, quantizer.book[0][entries[:, 0]])
    torch.testing.assert_close(chances[:, 0], scores.softmax(1))
    weight = quantizer.score.weight
    (through,) = torch.autograd.grad(vectors.square().sum(), weight)
    (expected,) = torch.autograd.grad((soft @ quantizer.book[0] * (2 * vectors.detach())).sum(), weight)
    torch.testing.assert_close(through, expected)


def test_the_temperature_falls_from_2_to_a_half_and_stays() -> None:
    method, found = _method(), []
    for progress in (0.0, 0.35, 0.7, 1.0):
        method.after_step(progress)
        found.append(float(method.heat))
    assert found == pytest.approx([2, 1, 0.5, 0.5])


def test_a_frame_with_the_same_entries_is_no_distractor() -> None:
    """Of a code book of one vector all are alike: nobody is left to be told apart, and guessing is always right."""
    method = _method(entries=2, groups=1)
    with torch.no_grad():
        method.quantizer.score.weight.zero_()
        method.quantizer.score.bias.copy_(torch.tensor([200.0, 0.0]))
    figures = method.training_step(_batch(4)).metrics
    assert float(figures["contrastive_loss"]) == 0
    assert float(figures["guessing"]) == 1
    assert float(figures["perplexity"]) == pytest.approx(1, abs=1e-3)


def test_a_hidden_frame_does_not_see_what_was_heard_there() -> None:
    method = _method().eval()
    frames, mask = method.encoder.hear(_batch(2).views[0])
    hidden = stretches(mask, _random(*mask.shape), 0.065, 10)
    frames = frames.detach().requires_grad_()
    seen = torch.where(hidden[..., None], method.hidden, method.encoder.widen(frames))
    method.encoder.encode(seen, mask).square().sum().backward()
    assert frames.grad is not None
    assert frames.grad[hidden].abs().sum() == 0
    assert (frames.grad[mask & ~hidden].abs().sum(1) > 0).all()


def test_it_tells_hidden_frames_of_tones_apart_and_keeps_its_code_book_in_use() -> None:
    records, _ = records_of(48)
    torch.manual_seed(0)
    views = views_of(records, "wave", weak=Policy())
    method = Wav2vec2(WaveTransformer(views.input, TINY), Wav2vec2.Config(entries=16, size=32))
    loop = LoopConfig(epochs=30, batch_size=16, learning_rate=0.003, clip=1.0)
    history = train(method, Corpus(records, np.arange(48), views), loop, seed=0)
    assert history[-1]["contrastive_accuracy"] > 1.5 * history[-1]["guessing"]
    assert history[-1]["perplexity"] > 4  # 2 where each group has one entry left


def test_an_encoder_without_frames_is_refused() -> None:
    with pytest.raises(WinnowError, match=r"set pretrain\.encoder to wave_transformer"):
        Wav2vec2(MelNetwork(Input("log_mel", (40, 50)), MelNetwork.Config(width=8)), Wav2vec2.Config())


def test_code_book_contrast_and_diversity_are_those_of_transformers() -> None:
    library = pytest.importorskip("transformers", reason="transformers, which is compared with, is not installed")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    sizes |= {"conv_dim": (8, 8), "conv_stride": (5, 4), "conv_kernel": (10, 8), "num_feat_extract_layers": 2}
    sizes |= {"num_codevectors_per_group": 6, "codevector_dim": 8, "proj_codevector_dim": 12}
    sizes |= {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    theirs = library.Wav2Vec2ForPreTraining(library.Wav2Vec2Config(**sizes)).eval()
    torch.nn.init.normal_(theirs.quantizer.weight_proj.weight)
    heard: list[Tensor] = []
    theirs.quantizer.register_forward_hook(lambda _, given, __: heard.append(given[0]))
    samples, rest = _random(2, 500) - 0.5, torch.zeros(2, 23, dtype=torch.bool)
    hidden = rest.clone()
    hidden[0, [1, 2, 3, 9, 10, 11]] = hidden[1, [0, 1, 2, 15, 16, 17]] = True
    rivals = distractors(hidden, _random(2, 23), 3)
    numbers = torch.zeros(2, 23, 3, dtype=torch.int64)
    numbers[hidden] = rivals[hidden].nonzero()[:, 1].view(-1, 3) + 23 * hidden.nonzero()[:, :1]
    with torch.no_grad():
        said = theirs(samples, mask_time_indices=hidden, sampled_negative_indices=numbers)
        ours = Quantizer(8, 2, 6, 8).eval()
        ours.score.load_state_dict(theirs.quantizer.weight_proj.state_dict())
        ours.book.copy_(theirs.quantizer.codevectors.view(2, 6, 4))
        vectors, entries, chances = ours(heard[0].flatten(0, 1), _random(46, 2, 6), torch.tensor(2.0))
        targets, entries = theirs.project_q(vectors).view(2, 23, -1), entries.view(2, 23, 2)
        torch.testing.assert_close(targets, said.projected_quantized_states)
        rivals &= (entries[:, None] != entries[:, :, None]).any(3)
        scores = likeness(said.projected_states, targets, rivals)[hidden] / theirs.config.contrastive_logits_temperature
        torch.testing.assert_close(surprise(scores, hidden.nonzero()[:, 1]), said.contrastive_loss)
        used = F.one_hot(entries[hidden], 6).float().mean(0)
        torch.testing.assert_close(in_use(used).sum(), said.codevector_perplexity, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(12 * diversity(used), said.diversity_loss, rtol=1e-5, atol=1e-5)
        soft = theirs.quantizer._compute_perplexity(chances, hidden)
        torch.testing.assert_close(in_use(chances[hidden.flatten()].mean(0)).sum(), soft, rtol=1e-5, atol=1e-5)


def _batch(count: int) -> Batch:
    return Batch([_random(count, 4000) - 0.5], keys=torch.arange(count))
