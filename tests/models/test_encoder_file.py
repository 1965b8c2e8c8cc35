"""An encoder on disk comes back to the bit, or not at all."""

from pathlib import Path

import pytest
import torch

from components.core.errors import WinnowError
from components.modalities.image.normalize import normalize
from components.models.encoder_file import build_encoder, load_encoder, save_encoder
from tests.pictures import spec_of

STATISTICS = {"mean": [0.5] * 3, "std": [0.5] * 3}
SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.5], std=[0.25])


def test_a_saved_encoder_comes_back_to_the_bit(tmp_path: Path) -> None:
    encoder = build_encoder(SPEC).to(memory_format=torch.channels_last).eval()  # as training leaves it
    save_encoder(tmp_path / "encoder.safetensors", encoder, SPEC)
    loaded, spec = load_encoder(tmp_path / "encoder.safetensors")
    pictures = torch.rand(3, 1, 16, 16)
    assert spec == SPEC
    assert torch.equal(loaded.to(memory_format=torch.channels_last).eval()(pictures), encoder(pictures))


def test_equal_weights_make_equal_files(tmp_path: Path) -> None:
    encoder = build_encoder(SPEC)
    for name in ("one", "two"):
        save_encoder(tmp_path / f"{name}.safetensors", encoder, SPEC)
    for kind in ("safetensors", "json"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_weights_of_another_shape_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    color = spec_of(name="small_resnet", options={"width": 8}, channels=3, image_size=16, dim=32, **STATISTICS)
    save_encoder(path, build_encoder(SPEC), color)
    with pytest.raises(WinnowError, match=r"'stem.0.weight' is \(4, 1, 3, 3\) where \(4, 3, 3, 3\) is expected"):
        load_encoder(path)


def test_a_spec_that_names_another_dimension_is_refused() -> None:
    with pytest.raises(WinnowError, match="vectors of 32 numbers where its file says 33"):
        build_encoder(SPEC.model_copy(update={"dim": 33}))


@pytest.mark.parametrize("kind", ["safetensors", "json"])
def test_missing_and_damaged_files_are_told_apart(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "encoder.safetensors"
    save_encoder(path, build_encoder(SPEC), SPEC)
    part = path.with_suffix(f".{kind}")
    part.write_bytes(part.read_bytes()[:20])
    with pytest.raises(WinnowError, match="is damaged"):
        load_encoder(path)
    part.unlink()
    with pytest.raises(WinnowError, match=r"is missing[:;] run `dvc repro pretrain`"):
        load_encoder(path)


def test_normalizing_takes_away_the_mean_and_divides_by_the_deviation() -> None:
    pictures = torch.tensor([0, 255], dtype=torch.uint8).view(1, 2, 1, 1)
    values = normalize(pictures, [0.5, 0.2], [0.25, 0.4]).flatten().tolist()
    assert values == pytest.approx([-2.0, 2.0])
