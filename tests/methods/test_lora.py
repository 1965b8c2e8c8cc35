"""LoRA: nothing changes at the start, the update is B A, and merging leaves a plain network that says the same."""

import pytest
import torch
from torch import Tensor, nn

from components.core.errors import WinnowError
from components.methods.adaptation.lora import LoRA, LowRank
from components.methods.contracts import Batch
from components.modalities import Input
from components.models.encoders import Encoder
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from components.models.encoders.word_vectors import WordVectors
from tests.pictures import given


def _encoder(kind: str) -> Encoder:
    torch.manual_seed(0)
    if kind == "small_resnet":
        return SmallResnet(given(1, 16), SmallResnet.Config(width=8)).eval()
    return VitSmall(given(1, 16), VitSmall.Config(width=24, depth=2, heads=2)).eval()


PICTURES = torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(1))


def _trained(method: LoRA) -> Tensor:
    """What three steps say of the pictures."""
    optimizer = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], lr=0.01)
    method.train()
    for _ in range(3):
        optimizer.zero_grad()
        method.training_step(Batch([PICTURES], torch.eye(2)[[0, 1] * 3], torch.ones(6))).loss.backward()
        optimizer.step()
    with torch.no_grad():
        vectors: Tensor = method.eval().encoder(PICTURES)
    return vectors


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_at_the_start_the_network_is_the_given_one(kind: str) -> None:
    with torch.no_grad():
        before = _encoder(kind)(PICTURES)
        torch.testing.assert_close(LoRA(_encoder(kind), 2, LoRA.Config()).eval().encoder(PICTURES), before)


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_the_merged_network_says_what_the_trained_one_said_and_is_a_plain_one(kind: str) -> None:
    method, plain = LoRA(_encoder(kind), 2, LoRA.Config()), _encoder(kind)
    said = _trained(method)
    method.finish(lambda: 0.0)
    assert {*method.encoder.state_dict()} == {*plain.state_dict()}
    with torch.no_grad():
        torch.testing.assert_close(method.encoder(PICTURES), said)
        plain.load_state_dict(method.encoder.state_dict())
        torch.testing.assert_close(plain(PICTURES), said)
        assert not torch.allclose(said, _encoder(kind)(PICTURES), atol=1e-3)


def test_only_the_updates_and_the_head_learn_and_statistics_stay() -> None:
    method, plain = LoRA(_encoder("small_resnet"), 2, LoRA.Config()), _encoder("small_resnet")
    _trained(method)
    names = {name.rsplit(".", 1)[1] for name, p in method.encoder.named_parameters() if p.requires_grad}
    assert names == {"first", "second"}
    kept = dict(method.encoder.named_buffers())
    assert all(torch.equal(value, kept[name]) for name, value in plain.named_buffers())


def test_an_update_is_of_its_rank_and_scale() -> None:
    update = LowRank(torch.zeros(6, 4, 3, 3), 2, 3.0)
    nn.init.normal_(update.second)
    changed = update(torch.zeros(6, 4, 3, 3)).flatten(1)
    torch.testing.assert_close(changed, 1.5 * update.second @ update.first)
    assert torch.linalg.matrix_rank(changed) == 2


def test_a_rank_above_the_layers_own_is_the_layers_own() -> None:
    assert LowRank(torch.zeros(3, 1, 2, 2), 64, 64.0).first.shape == (3, 4)


def test_attention_of_torch_is_updated_too() -> None:
    class Attention(Encoder):
        def __init__(self) -> None:
            super().__init__(Input("pixels", (1, 4, 4)))
            self.dim, self.attention = 4, nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, pictures: Tensor) -> Tensor:
            rows = pictures.squeeze(1)
            mixed: Tensor = self.attention(rows, rows, rows)[0]
            return mixed.mean(1)

    method = LoRA(Attention(), 2, LoRA.Config(rank=2))
    pictures = torch.randn(6, 1, 4, 4)
    method.training_step(Batch([pictures], torch.eye(2)[[0, 1] * 3], torch.ones(6))).loss.backward()
    reached = {name for name, p in method.encoder.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert reached == {
        "attention.parametrizations.in_proj_weight.0.second",
        "attention.out_proj.parametrizations.weight.0.second",
    }


def test_a_network_without_such_a_layer_is_refused() -> None:
    bag = WordVectors(Input("tokens", (8,), 5), WordVectors.Config(width=4))
    with pytest.raises(WinnowError, match="WordVectors has no layer that it updates"):
        LoRA(bag, 2, LoRA.Config())
