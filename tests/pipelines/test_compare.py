"""`winnow compare pretrain` on a small real project: a ranking, why some are not in it, and refusals."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks._pipeline import settings
from components.core.errors import WinnowError
from pipelines import compare
from pipelines.cli import app
from pipelines.inline import run_stages


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, ingested and labeled, with a short pretraining behind them."""
    folder = tmp_path_factory.mktemp("compare")
    params = settings(pretrain={"epochs": 1, "workers": 0})
    run_stages(("ingest", "validate", "augment", "pretrain", "embed", "label"), folder, params)
    (folder / "params.yaml").write_text(json.dumps(params))
    return folder


def test_methods_are_ranked_by_the_labels_in_force_and_what_cannot_be_tried_says_why(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    compare.compare_pretraining(["simclr", "rotation", "mae"], 0.02)
    kept = json.loads((project / compare.RESULTS).read_text())
    ranked = [row for row in kept["ranking"] if "failed" not in row]
    assert {row["method"] for row in ranked} == {"simclr", "rotation"}
    assert [row["visible"] for row in ranked] == sorted((row["visible"] for row in ranked), reverse=True)
    assert all(0 < row["visible"] <= 1 and row["epochs"] > 0 for row in ranked)
    shown = capsys.readouterr().out
    assert shown.index(ranked[0]["method"]) < shown.index(ranked[1]["method"]) < shown.index("not ranked")
    assert "choose vit_small" in shown
    assert [row["method"] for row in kept["simple"]][2:] == ["the most frequent class", "chance"]
    assert {row["method"] for row in kept["simple"]} > {"small pixels", "gray histogram"}
    best = max(row["visible"] for row in kept["simple"])
    assert ("No better than what takes no pretraining" in shown) == any(row["visible"] <= best for row in ranked)


def test_without_labels_it_says_that_the_rank_alone_decides(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(compare, "LABELS", Path("nowhere.parquet"))
    compare.compare_pretraining(["simclr"], 0.01)
    assert "no labels yet" in capsys.readouterr().out


def test_an_unknown_method_no_method_no_time_and_no_pictures_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for names, minutes, text in (
        (["simclrr"], 1.0, "did you mean 'simclr'"),
        ([], 1.0, "names none"),
        (["simclr"], 0.0, "some CPU time"),
        (["simclr"], float("nan"), "some CPU time"),
        (["simclr"], 1.0, "dvc repro augment"),
    ):
        with pytest.raises(WinnowError, match=text):
            compare.compare_pretraining(names, minutes)


def test_how_well_it_foretold_is_spearmans_correlation_over_methods() -> None:
    figures = {"simclr": (0.9, 0.95), "moco": (0.8, 0.9), "byol": (0.7, 0.97), "random": (0.1, 0.99)}
    kept = {
        name: {str(seed): {"visible": visible, "linear_few": test} for seed in range(2)}
        for name, (visible, test) in figures.items()
    }
    assert compare.how_well_foretold(kept) == (-0.5, 3)  # ranks 1 2 3 and 2 3 1, `random` is no method
    assert compare.how_well_foretold({"simclr": kept["simclr"]}) is None


def test_the_command_has_its_help() -> None:
    shown = CliRunner().invoke(app, ["compare", "pretrain", "--help"]).output
    assert "--methods" in shown
    assert "--minutes" in shown
