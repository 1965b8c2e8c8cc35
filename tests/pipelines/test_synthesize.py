"""`winnow synthesize` on a small real project: pictures, a page, labels that the next run learns from; refusals."""

import json
from pathlib import Path

import pytest

from benchmarks._pipeline import settings
from components.core.errors import WinnowError
from components.datasets.ledger import append
from components.datasets.synthetic import identity_of, read_synthetic
from pipelines import synthesize
from pipelines.inline import LABELED, LEDGER, UNLABELED, run_stages


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits with a model of 20 labels, hardly trained."""
    folder = tmp_path_factory.mktemp("synthesize")
    params = _settings(20)
    run_stages([*UNLABELED, *LABELED[:3]], folder, params)
    (folder / "params.yaml").write_text(json.dumps(params))
    return folder


def _settings(budget: int) -> dict[str, object]:
    probe = {"method": {"name": "linear_probe"}}
    return settings(pretrain={"epochs": 3, "workers": 0}, label={"budget": budget}, finetune=probe)


def test_a_named_picture_is_learned_from_and_counted(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    synthesize.make_questions("vae", 3, 0.6)
    files = sorted(synthesize.FOLDER.glob("*.png"))
    assert [identity_of(file.read_bytes()) for file in files] == [file.stem for file in files]
    assert len(files) == 3
    page = synthesize.PAGE.read_text()
    assert "no samples of yours" in page
    assert all(file.stem in page for file in files)
    assert str(synthesize.PAGE) in capsys.readouterr().out
    answer = {"id": files[0].stem, "label": "3", "annotator": "eva", "source": "person"}
    append(project / LEDGER, [answer])
    run_stages(LABELED, project, _settings(21))
    assert read_synthetic(project / "data/label/synthetic_labels.parquet")[0] == [files[0].stem]
    assert json.loads((project / "data/evaluate/metrics.json").read_text())["labels_used"] == 21


def test_what_cannot_be_done_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for generator, count, minutes, text in (
        ("simclr", 3, 1.0, "makes no pictures: choose from gan, vae"),
        ("vae", 0, 1.0, "above 0"),
        ("vae", 3, 0.0, "above 0"),
        ("vae", 3, float("inf"), "above 0"),
        ("vae", 3, 1.0, "run `winnow repro` first"),
    ):
        with pytest.raises(WinnowError, match=text):
            synthesize.make_questions(generator, count, minutes)
