"""`winnow export` and `winnow gap` over small projects on disk."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from components.core.errors import WinnowError
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import build_encoder, load_encoder, save_encoder
from components.models.start_weights import load_start
from pipelines.export import export_encoder
from pipelines.gap import show_gap
from tests.pictures import save_pictures, spec_of, write_manifest

SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=8, dim=32, mean=[0.5], std=[0.3])


def _ingested(project: Path, pictures: np.ndarray) -> Path:
    home = project / "data/ingest"
    home.mkdir(parents=True)
    save_pictures(home / "samples.npy", pictures)
    ids = [f"{number:016x}" for number in range(len(pictures))]
    constants = {"path": "p", "width": 8, "height": 8, "mode": "L", "bytes": 64, "sha256": "0"}
    splits = ["test" if number % 6 == 0 else "train" for number in range(len(pictures))]
    write_manifest(home / "manifest.parquet", pd.DataFrame({"id": ids, "group": ids, "split": splits, **constants}))
    return project


def _noise(count: int, low: int, high: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(low).integers(low, high, (count, 1, size, size), dtype=np.uint8)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of dark pictures with an encoder and a fine-tuned classifier; the current folder."""
    home = _ingested(tmp_path / "here", _noise(240, 0, 100))
    monkeypatch.chdir(home)
    (home / "params.yaml").write_text("seed: 0\nthreads: 1\n")
    torch.manual_seed(0)
    save_encoder(home / "data/pretrain/encoder.safetensors", build_encoder(SPEC), SPEC)
    spec = ClassifierSpec(encoder=SPEC, classes=["cat", "dog"], method="full")
    save_classifier(home / "data/finetune/model.safetensors", Classifier(build_encoder(SPEC), nn.Linear(32, 2), spec))
    return home


def test_the_encoder_of_either_stage_is_exported_and_starts_another_project(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage, source in (("pretrain", "pretrain/encoder"), ("finetune", "finetune/model")):
        export_encoder(tmp_path / stage, stage=stage, formats=["winnow"])
        encoder, spec = load_encoder(tmp_path / stage / "encoder.safetensors")
        assert spec == SPEC
        started = build_encoder(SPEC)
        load_start(project / f"data/{source}.safetensors", started)  # the stage's own file does as well
        pairs = zip(encoder.state_dict().values(), started.state_dict().values(), strict=True)
        assert all(torch.equal(first, second) for first, second in pairs)
    one, other = (load_encoder(tmp_path / name / "encoder.safetensors")[0] for name in ("pretrain", "finetune"))
    assert not torch.equal(one.state_dict()["stem.0.weight"], other.state_dict()["stem.0.weight"])
    assert capsys.readouterr().out.count("encoder.safetensors  (") == 2


def test_nothing_is_written_where_one_of_the_formats_cannot_be(project: Path, tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="timm has no network like SmallResnet"):
        export_encoder(tmp_path / "out", stage="pretrain", formats=["winnow", "timm"])
    with pytest.raises(WinnowError, match="--from is 'finetunes': did you mean 'finetune'"):
        export_encoder(tmp_path / "out", stage="finetunes", formats=["winnow"])
    assert not (tmp_path / "out").exists()
    before = Path("data/pretrain/encoder.safetensors").read_bytes()
    with pytest.raises(WinnowError, match=r"data/pretrain is in data/, which the stages write"):
        export_encoder(Path("data/pretrain"), stage="finetune", formats=["winnow"])
    assert Path("data/pretrain/encoder.safetensors").read_bytes() == before


def test_strange_pictures_are_far_and_more_of_the_same_are_not(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for name, pictures in (("same", _noise(240, 0, 100)[::-1].copy()), ("light", _noise(240, 130, 256))):
        show_gap(_ingested(tmp_path / name, pictures))
        found[name] = json.loads(Path("data/gap/gap.json").read_text())
        assert Path("data/gap/gap.png").stat().st_size > 1000
    assert found["light"]["between"]["a_distance"] > 1.9
    assert found["light"]["within"]["a_distance"] < 1
    assert found["light"]["between"]["frechet"] > 3 * found["same"]["between"]["frechet"]
    assert "proxy A-distance" in capsys.readouterr().out


def test_projects_that_cannot_be_compared_are_named(project: Path, tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match=r"samples.npy is not there: run `winnow repro` in empty first"):
        show_gap(tmp_path / "empty")
    with pytest.raises(WinnowError, match=r"keeps image_size 16, and the encoder here takes image_size 8: give both"):
        show_gap(_ingested(tmp_path / "large", _noise(60, 0, 9, size=16)))
    with pytest.raises(WinnowError, match="has 5 training samples: a gap is measured on 16 or more"):
        show_gap(_ingested(tmp_path / "small", _noise(6, 0, 9)))
