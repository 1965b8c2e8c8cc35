"""Adapters: nothing changes at the start, only what was added learns, and the file rebuilds it."""

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from components.core.errors import WinnowError
from components.methods.adaptation.adapters import Adapters
from components.methods.contracts import Batch
from components.modalities import Input
from components.models.adapters import Adapter
from components.models.additions import Additions
from components.models.encoder_file import EncoderSpec, build_encoder, load_encoder, save_encoder
from components.models.encoders import Encoder
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from tests.pictures import given, spec_of

PICTURES = torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(1))
SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.5], std=[0.3])


def _encoder(kind: str = "small_resnet") -> Encoder:
    torch.manual_seed(0)
    if kind == "small_resnet":
        return SmallResnet(given(1, 16), SmallResnet.Config(width=8)).eval()
    return VitSmall(given(1, 16), VitSmall.Config(width=24, depth=2, heads=2)).eval()


def _trained(kind: str = "small_resnet") -> Adapters:
    method = Adapters(_encoder(kind), 2, Adapters.Config(bottleneck=4)).train()
    assert isinstance(method, Adapters)
    optimizer = torch.optim.AdamW([p for p in method.parameters() if p.requires_grad], lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        method.training_step(Batch([PICTURES], torch.eye(2)[[0, 1] * 3], torch.ones(6))).loss.backward()
        optimizer.step()
    return method


def test_an_adapter_is_its_formula() -> None:
    adapter = Adapter(3, 2, maps=False)
    for parameter in adapter.parameters():
        nn.init.normal_(parameter)
    values, (inner, outer, shift, end) = torch.randn(4, 3), (*_matrices(adapter),)
    torch.testing.assert_close(adapter(values), values + (values @ inner.T + shift).relu() @ outer.T + end)


def _matrices(adapter: Adapter) -> list[torch.Tensor]:
    state = adapter.state_dict()
    return [state[name] for name in ("down.weight", "up.weight", "down.bias", "up.bias")]


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_at_the_start_the_network_is_the_given_one_with_an_adapter_for_every_block(kind: str) -> None:
    method = Adapters(_encoder(kind), 2, Adapters.Config()).eval()
    assert sum(isinstance(module, Adapter) for module in method.modules()) == len(_encoder(kind).block_list())
    with torch.no_grad():
        torch.testing.assert_close(method.encoder(PICTURES), _encoder(kind)(PICTURES))


@pytest.mark.parametrize("kind", ["small_resnet", "vit_small"])
def test_blocks_keep_their_weights_and_norms_their_statistics_while_the_vectors_change(kind: str) -> None:
    method, plain = _trained(kind), _encoder(kind)
    state = method.encoder.state_dict()
    changed = {name for name, value in plain.state_dict().items() if not torch.equal(value, state[name])}
    assert changed
    assert all("norm" in name or "stem" in name for name in changed)
    assert not any("running" in name for name in changed)
    assert all(not torch.equal(v, 0 * v) for name, v in state.items() if "adapter.up" in name)


def test_the_file_rebuilds_what_was_trained(tmp_path: Path) -> None:
    method = _trained()
    spec = SPEC.model_copy(update={"additions": method.encoder.additions})
    save_encoder(tmp_path / "encoder.safetensors", method.encoder, spec)
    loaded, same = load_encoder(tmp_path / "encoder.safetensors")
    assert same.additions == Additions(adapters=4)
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(PICTURES), method.encoder.eval()(PICTURES), rtol=0, atol=0)


def test_a_file_without_word_of_additions_has_none() -> None:
    old = {key: value for key, value in SPEC.model_dump().items() if key != "additions"}
    assert build_encoder(EncoderSpec.model_validate(old)).additions == Additions()


def test_a_copy_uses_its_own_adapters() -> None:
    method = _trained()
    encoder = copy.deepcopy(method.encoder).eval()
    with torch.no_grad():
        before = encoder(PICTURES)
        for module in method.modules():
            if isinstance(module, Adapter):
                for parameter in module.parameters():
                    parameter.zero_()
        torch.testing.assert_close(encoder(PICTURES), before)


def test_a_network_without_blocks_is_refused_in_a_sentence() -> None:
    class Flat(Encoder):
        def __init__(self) -> None:
            super().__init__(Input("pixels", (1, 4, 4)))
            self.dim, self.layer = 16, nn.Linear(16, 16)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            vectors: torch.Tensor = self.layer(pictures.flatten(1))
            return vectors

    with pytest.raises(WinnowError, match="finds no blocks"):
        Adapters(Flat(), 2, Adapters.Config())


@pytest.mark.parametrize(("model", "refused"), [("mobilenet_v3_small", False), ("swin_t", True)])
def test_a_librarys_network_gets_them_where_its_blocks_give_maps(model: str, refused: bool) -> None:
    spec = spec_of(
        name="torchvision_model",
        options={"model": model},
        channels=3,
        image_size=64,
        dim={"mobilenet_v3_small": 1024, "swin_t": 768}[model],
        mean=[0.5] * 3,
        std=[0.3] * 3,
        additions=Additions(adapters=2),
    )
    if refused:
        with pytest.raises(WinnowError, match="tokens or maps"):
            build_encoder(spec)
        return
    encoder = build_encoder(spec)
    assert any(isinstance(module, Adapter) for module in encoder.modules())
