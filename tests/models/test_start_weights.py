"""Weights to start from: whatever names they come under, what fits is taken and what does not is said."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.models.encoders import Encoder
from components.models.start_weights import for_channels, load_start, read_start
from tests.pictures import given


def _encoder(name: str = "small_resnet", channels: int = 1, size: int = 16, **options: object) -> Encoder:
    encoder: Encoder = build("encoder", PluginChoice(name=name, **options), given(channels, size), where="encoder")
    return encoder


def _saved(path: Path, tensors: dict[str, Tensor]) -> Path:
    if path.suffix == ".safetensors":
        save_file({name: value.contiguous() for name, value in tensors.items()}, path)
    else:
        torch.save(tensors, path)
    return path


def _equal(one: Encoder, other: Encoder) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("prefix", ["", "encoder.", "module."])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_an_encoder_of_ours_is_taken_whole_alone_or_out_of_a_classifier(tmp_path: Path, prefix: str, kind: str) -> None:
    given, other = _encoder(width=8), _encoder(width=8)
    tensors = {prefix + name: value for name, value in given.state_dict().items()}
    path = _saved(tmp_path / f"w.{kind}", {**tensors, "head.weight": torch.zeros(3, 32)})
    assert not _equal(given, other)
    load_start(path, other)
    assert _equal(given, other)
    said = read_start(path, other).said
    assert said[1:] == ["1 more tensors of the file, such as a classifier's, are not used."]


@pytest.mark.parametrize(("name", "model"), [("resnet18", "resnet18"), ("torchvision_model", "shufflenet_v2_x0_5")])
def test_a_state_dict_of_torchvision_is_taken_by_its_own_names(tmp_path: Path, name: str, model: str) -> None:
    theirs = get_model(model, weights=None).eval()
    path = _saved(tmp_path / "w.pth", theirs.state_dict())
    encoder = _encoder(name, 3, 64).eval()
    load_start(path, encoder)
    theirs.fc = nn.Identity()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(encoder(pictures), theirs(pictures))


def test_gray_pictures_get_the_sum_of_the_colors_filters_and_it_is_said(tmp_path: Path) -> None:
    theirs = get_model("shufflenet_v2_x0_5", weights=None).eval()
    path = _saved(tmp_path / "w.pth", {"state_dict": theirs.state_dict()})  # type: ignore[dict-item]
    encoder = _encoder("torchvision_model", 1, 64).eval()
    load_start(path, encoder)
    theirs.fc = nn.Identity()
    gray = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(encoder(gray), theirs(gray.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-7)
    said = read_start(path, encoder).said
    assert said[1].startswith("warning: pictures have 1 channels, not 3")


def test_channels_that_are_alike_answer_as_before_however_many_there_are() -> None:
    torch.manual_seed(0)
    weight, pictures = torch.randn(4, 3, 5, 5), torch.rand(2, 1, 9, 9)
    expected = nn.functional.conv2d(pictures.expand(-1, 3, -1, -1), weight)
    for channels in (1, 2, 6):
        given = nn.functional.conv2d(pictures.expand(-1, channels, -1, -1), for_channels(weight, channels))
        torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_keeps_its_start_and_is_named(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.pth", get_model("resnet18", weights=None).state_dict())
    encoder = _encoder("resnet18", 3, 32)  # whose stem is 3x3
    before = encoder.stem[0].weight.clone()  # type: ignore[index,operator,union-attr]
    load_start(path, encoder)
    assert torch.equal(encoder.stem[0].weight, before)  # type: ignore[index,union-attr,arg-type]
    said = read_start(path, encoder).said[1]
    assert said == "warning: these keep their random start (stem.0.weight: [64, 3, 7, 7], here [64, 3, 3, 3])."


def test_the_fit_is_known_from_shapes_alone(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.safetensors", _encoder(width=8).state_dict())
    with torch.device("meta"):
        assert len(read_start(path, _encoder(width=8)).said) == 1


def test_less_than_half_is_refused_with_what_did_not_fit(tmp_path: Path) -> None:
    path = _saved(tmp_path / "w.safetensors", _encoder(width=16).state_dict())
    with pytest.raises(
        WinnowError, match=r"w.safetensors fits \d+% of the encoder \(stem.0.weight: \[8, 1, 3, 3\], here"
    ):
        read_start(path, _encoder(width=8))


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    weights = _encoder(width=8).state_dict()
    weights["stem.0.weight"][0] = float("nan")
    with pytest.raises(WinnowError, match="not finite"):
        read_start(_saved(tmp_path / "w.pth", weights), _encoder(width=8))


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("w.pth", None, "is not there"),
        ("w.bin", b"x", "is of no kind that is read"),
        ("w.safetensors", b"short", "cannot be read as tensors alone"),
        ("w.pth", b"short", "cannot be read as tensors alone"),
        ("w.pth", pickle.dumps(_Evil()), "cannot be read as tensors alone"),
    ],
)
def test_files_that_are_none_are_refused_and_none_is_run(
    tmp_path: Path, name: str, content: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WinnowError, match=says):
        read_start(tmp_path / name, _encoder(width=8))
    assert "run" not in capsys.readouterr().out
