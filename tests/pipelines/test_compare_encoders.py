"""`winnow compare encoders` on a small real project: a table, a verdict, and refusals."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks._pipeline import settings
from components.core.errors import WinnowError
from pipelines import compare_encoders as compare
from pipelines.cli import app
from pipelines.inline import run_stages


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, ingested and labeled, with a short pretraining behind them."""
    folder = tmp_path_factory.mktemp("encoders")
    params = settings(pretrain={"epochs": 1, "workers": 0})
    run_stages(("ingest", "validate", "augment", "pretrain", "embed", "label"), folder, params)
    (folder / "params.yaml").write_text(json.dumps(params))
    return folder


def test_each_stands_beside_what_takes_no_encoder_and_going_on_is_judged(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    compare.compare_encoders(["continued:project"], 0.01)
    kept = json.loads(compare.RESULTS.read_text())
    rows = {row["encoder"]: row for row in kept["encoders"]}
    assert set(rows) == {"project", "continued:project"}  # what it went on from comes by itself
    for row in rows.values():
        assert 0 <= row["linear_low"] <= row["linear"] <= row["linear_high"] <= 1
        assert row["effective_rank"] > 1
        assert row["cpu_milliseconds"] > 0
    assert rows["continued:project"]["steps"] >= 1
    names = [row["encoder"] for row in kept["simple"]]
    assert names == [
        "logistic regression on small pixels",
        "logistic regression on gray histogram",
        "the most frequent class",
    ]
    assert (kept["labels"], kept["chance"]) == (40, 0.1)
    said = capsys.readouterr().out
    assert kept["verdict"] in said
    assert "Pretraining on from there" in said
    assert all(name in said for name in [*rows, *names])


def test_a_file_of_ours_says_itself_which_network_it_is(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    compare.compare_encoders(["project", "file:data/pretrain/encoder.safetensors"], 1)
    one, other = json.loads(compare.RESULTS.read_text())["encoders"]
    for figure in ("linear", "neighbor", "effective_rank"):
        assert one[figure] == other[figure]
    assert "are not apart beyond chance" in json.loads(compare.RESULTS.read_text())["verdict"]


@pytest.mark.parametrize(
    ("names", "minutes", "text"),
    [
        (["projct"], 5, "unknown encoder 'projct': did you mean 'project'"),
        (["file:"], 5, "unknown encoder 'file:'"),
        (["continued:"], 5, "unknown encoder ''"),
        (["file:nowhere.pth"], 5, "nowhere.pth is not there: correct the path"),
        (["timm:resnet10t"], 5, "say `winnow weights add timm:resnet10t --download`"),
        (["torchvision:resnet18"], 5, "say `winnow weights add torchvision:resnet18 --download`"),
        (["efficientnet_lite0"], 5, "say `winnow weights add efficientnet_lite0`"),
        ([], 5, "name encoders to compare"),
        (["project"], 0, "--minutes is 0"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], minutes: float, text: str
) -> None:
    monkeypatch.chdir(project)
    with pytest.raises(WinnowError, match=text) as raised:
        compare.compare_encoders(names, minutes)
    assert "\n" not in str(raised.value)


def test_without_labels_it_says_what_to_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(compare, "LABELS", Path("nowhere.parquet"))
    with pytest.raises(WinnowError, match="dvc repro label"):
        compare.compare_encoders(["project"], 5)


def test_the_command_has_its_help() -> None:
    shown = CliRunner().invoke(app, ["compare", "encoders", "--help"]).output
    assert "continued:" in shown
    assert "--minutes" in shown
