"""Prompts: where they go, that only they and the head learn, and that the file rebuilds them."""

from pathlib import Path

import pytest
import torch

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.methods.adaptation.prompts import Prompts
from components.methods.contracts import Batch
from components.models.additions import Additions
from components.models.encoder_file import load_encoder, save_encoder
from components.models.encoders import Encoder
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from components.models.prompts import Border, add_tokens
from tests.pictures import given, spec_of
from tests.texts import views_of

PICTURES = torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(1))
OPTIONS = {"small_resnet": {"width": 8}, "vit_small": {"width": 24, "depth": 2, "heads": 2}}


def _encoder(kind: str) -> Encoder:
    torch.manual_seed(0)
    if kind == "small_resnet":
        return SmallResnet(given(1, 16), SmallResnet.Config(width=8)).eval()
    return VitSmall(given(1, 16), VitSmall.Config(width=24, depth=2, heads=2)).eval()


def _prompts(kind: str, **options: int) -> Prompts:
    return Prompts(_encoder(kind), 2, Prompts.Config.model_validate(options))


def _step(method: Prompts) -> None:
    optimizer = torch.optim.SGD([p for p in method.parameters() if p.requires_grad], lr=1.0)
    method.train()
    method.training_step(Batch([PICTURES], torch.eye(2)[[0, 1] * 3], torch.ones(6))).loss.backward()
    optimizer.step()


def test_a_transformer_gets_tokens_and_another_network_a_border() -> None:
    assert _prompts("vit_small").encoder.additions == Additions(tokens=10)
    assert _prompts("small_resnet").encoder.additions == Additions(border=2)  # 30 / 224 of 16 pixels
    assert _prompts("small_resnet", border=3).encoder.additions == Additions(border=3)


def test_tokens_are_seen_by_the_blocks_and_leave_before_the_mean() -> None:
    method = _prompts("vit_small", tokens=3).eval()
    vit, plain = method.encoder, _encoder("vit_small")
    assert isinstance(vit, VitSmall)
    assert isinstance(plain, VitSmall)
    prompts = vit.blocks.prompts
    assert isinstance(prompts, torch.Tensor)
    with torch.no_grad():
        tokens = torch.cat([plain.embed(PICTURES), prompts.expand(6, -1, -1)], 1)
        expected = plain.encode(tokens)[:, :-3].mean(1)
        torch.testing.assert_close(vit(PICTURES), expected)


def test_a_border_starts_as_nothing_and_never_touches_the_middle() -> None:
    border = Border((1, 6, 6), 2)
    assert torch.equal(border(PICTURES[..., :6, :6]), PICTURES[..., :6, :6])
    for parameter in border.parameters():
        torch.nn.init.ones_(parameter)
    added = border(torch.zeros(1, 1, 6, 6))[0, 0]
    expected = torch.ones(6, 6)
    expected[2:4, 2:4] = 0
    assert torch.equal(added, expected)
    assert sum(parameter.numel() for parameter in border.parameters()) == 32


def test_rows_and_columns_of_a_border_lie_where_they_are_called() -> None:
    border = Border((1, 6, 6), 1)
    with torch.no_grad():
        border.rows[0, 0], border.columns[0, :, 1] = 1.0, 2.0
    added = border(torch.zeros(1, 1, 6, 6))[0, 0]
    assert added[0].tolist() == [1] * 6
    assert added[1:5, 5].tolist() == [2] * 4
    assert added.sum() == 14


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_only_the_prompts_and_the_head_learn(kind: str) -> None:
    method, plain = _prompts(kind), _encoder(kind)
    before = {name: value.clone() for name, value in method.encoder.state_dict().items()}
    _step(method)
    after = method.encoder.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == ({"blocks.prompts"} if kind == "vit_small" else {"border.rows", "border.columns"})
    assert all(torch.equal(after[name], value) for name, value in plain.state_dict().items())


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_the_file_rebuilds_what_was_trained(kind: str, tmp_path: Path) -> None:
    method = _prompts(kind)
    _step(method)
    spec = spec_of(
        name=kind,
        options=OPTIONS[kind],
        channels=1,
        image_size=16,
        dim=method.encoder.dim,
        mean=[0.5],
        std=[0.3],
        additions=method.encoder.additions,
    )
    save_encoder(tmp_path / "encoder.safetensors", method.encoder, spec)
    loaded, _ = load_encoder(tmp_path / "encoder.safetensors")
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(PICTURES), method.encoder.eval()(PICTURES), rtol=0, atol=0)


def test_what_an_encoder_cannot_take_is_refused_in_a_sentence() -> None:
    with pytest.raises(WinnowError, match="leaves nothing"):
        _prompts("small_resnet", border=8)
    with pytest.raises(WinnowError, match="has no tokens"):
        add_tokens(_encoder("small_resnet"), 3)


def test_prompts_learn_at_their_own_rate() -> None:
    head, prompts = _prompts("vit_small").parameter_groups(0.1)
    assert (head["lr"], prompts["lr"]) == (0.1, pytest.approx(3.0))
    assert [tuple(parameter.shape) for parameter in prompts["params"]] == [(10, 24)]


@pytest.mark.parametrize(("kind", "option"), [("vit_small", "border"), ("small_resnet", "tokens")])
def test_what_another_encoder_would_be_shown_is_refused(kind: str, option: str) -> None:
    with pytest.raises(WinnowError, match=rf"^finetune\.method\.{option} is not used, since the encoder takes"):
        _prompts(kind, **{option: 2})


@pytest.mark.parametrize("name", ["word_vectors", "attention_bag", "lstm"])
def test_networks_of_words_without_blocks_are_refused(name: str) -> None:
    encoder = build("encoder", PluginChoice(name=name), views_of(["a b c"]).input, where="encoder")
    with pytest.raises(WinnowError, match="neither blocks that tokens go through"):
        Prompts(encoder, 3, Prompts.Config())
