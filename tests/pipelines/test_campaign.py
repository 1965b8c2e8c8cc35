"""`winnow campaign`: what is done again, what goes on, and what comes out."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from campaign_world import PARAMS, ROOT, SMALL, FakeStages

from components.core import journal, tracking
from components.core.errors import Refused, WinnowError
from components.core.lock import locked
from components.datasets.ledger import read_ledger
from pipelines import settings
from pipelines.campaign import campaign
from pipelines.campaign import rounds as campaign_rounds
from pipelines.campaign.plan import make_plan


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeStages:
    """A project in the current folder whose stages cost nothing, and no MLflow."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    for name in ("raw", "weights", "labels/synthetic"):  # as in a fresh clone
        Path("data", name).mkdir(parents=True)
    fake = FakeStages()
    monkeypatch.setattr(campaign_rounds, "run_stages", fake)
    monkeypatch.setattr(settings, "check_settings", lambda: None)
    monkeypatch.setattr(tracking, "deliver_or_say", lambda: None)
    return fake


def test_one_pretraining_worker_needs_no_ray() -> None:
    def workers(**changes: Any) -> int:
        block = {**PARAMS["pretrain"], **changes}
        return int(make_plan(SMALL, {**PARAMS, "pretrain": block}).params["pretrain"]["workers"])

    assert (workers(workers=1), workers(workers=2), workers(workers=1, ray_address="auto")) == (0, 2, 1)


def test_every_point_is_reached_once_and_said(stages: FakeStages, capsys: pytest.CaptureFixture[str]) -> None:
    assert campaign.run_campaign(SMALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("10 points, 0 of them done before, kept in .winnow/campaigns/")
    said = [" ".join(line.split()[:7]) for line in lines[1:11]]
    assert said[:4] == [
        "seed 0 start round 0/2 10 labels",
        "seed 0 random round 1/2 15 labels",
        "seed 0 random round 2/2 20 labels",
        "seed 0 margin round 1/2 15 labels",
    ]
    assert lines[1].split()[7:9] == ["accuracy", "0.500"]
    assert [line.split()[-2:] for line in lines[1:11]] == [[str(left), "left"] for left in reversed(range(10))]
    assert [name for _, name in stages.runs].count("evaluate") == 10
    assert [name for _, name in stages.runs].count("pretrain") == 2


def test_the_results_are_the_points(stages: FakeStages) -> None:
    campaign.run_campaign(SMALL)
    rows = pd.read_csv("data/campaign/curve.csv")
    assert len(rows) == 2 * 2 * 3
    margin = rows[(rows["strategy"] == "margin") & (rows["seed"] == 1)]
    assert margin["labels"].tolist() == [10, 15, 20]
    assert margin["accuracy"].tolist() == pytest.approx([0.51, 0.52, 0.53])
    assert margin["query_confidence"].isna().tolist() == [True, False, False]
    text = Path("data/campaign/table.md").read_text()
    assert "- margin: better than random, +0.50 (+0.50 to +0.50) points" in text
    assert "It is no way to choose a model" in text
    assert Path("data/campaign/curve.png").read_bytes()[:4] == b"\x89PNG"


def test_each_answer_is_a_row_of_the_arms_own_ledger(stages: FakeStages) -> None:
    Path("data/labels/ledger.csv").write_text("the user's own")
    campaign.run_campaign(replace(SMALL, seeds=1))
    plan = make_plan(SMALL, PARAMS)
    random, margin = (read_ledger(plan.folder(0, arm, 2) / "data/labels/ledger.csv") for arm in plan.arms)
    assert margin["round"].tolist() == [0] * 10 + [1] * 5 + [2] * 5
    assert set(margin["source"]) == {"oracle"}
    assert margin["label"].tolist() == [("ant", "bee")[int(id_, 16) % 2] for id_ in margin["id"]]
    assert margin["id"].tolist()[:10] == random["id"].tolist()[:10]
    assert not set(margin["id"][10:]) & set(random["id"][10:])
    assert Path("data/labels/ledger.csv").read_text() == "the user's own"
    assert sorted(path.name for path in Path("data").iterdir()) == ["campaign", "labels", "raw", "weights"]


def test_a_second_run_does_nothing_and_more_rounds_go_on(stages: FakeStages) -> None:
    campaign.run_campaign(SMALL)
    before = Path("data/campaign/curve.csv").read_bytes()
    stages.runs.clear()
    campaign.run_campaign(SMALL)
    assert stages.runs == []
    assert Path("data/campaign/curve.csv").read_bytes() == before
    campaign.run_campaign(replace(SMALL, rounds=3, strategies=("margin", "entropy")))
    evaluated = [folder.split("-")[0] for folder, name in stages.runs if name == "evaluate"]
    assert evaluated == ["random", "margin", "entropy", "entropy", "entropy"] * 2


def test_stopped_in_a_round_it_says_so_and_does_that_round_again(
    stages: FakeStages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(folder: Path, name: str) -> None:
        if (folder.name, folder.parent.name[:6], name) == ("round2", "margin", "finetune"):
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(stages, "before", stop)
    assert campaign.run_campaign(SMALL) == 130
    said = capsys.readouterr().err
    assert said == "winnow: campaign stopped with 4 of 10 points done: the same command goes on from there.\n"
    assert not Path("data/campaign").exists()
    monkeypatch.setattr(stages, "before", lambda folder, name: None)
    stages.runs.clear()
    assert campaign.run_campaign(SMALL) == 0
    assert [name for _, name in stages.runs][:2] == ["select", "label"]
    assert [name for _, name in stages.runs].count("evaluate") == 6


def test_data_that_does_not_pass_stops_it_and_says_where_to_look(
    stages: FakeStages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, name: str) -> None:
        if name == "validate":
            raise Refused("the data may not pass: too few; see data/validate/docs/index.html.")

    monkeypatch.setattr(stages, "before", refuse)
    with pytest.raises(WinnowError, match="too few; `winnow repro` writes the page that shows it"):
        campaign.run_campaign(SMALL)


def test_a_second_campaign_in_the_folder_is_refused(stages: FakeStages) -> None:
    with (
        locked(campaign.LOCK, wait=0, busy=""),
        pytest.raises(WinnowError, match=rf"another campaign \(process {os.getpid()}\) is at work in this folder"),
    ):
        campaign.run_campaign(SMALL)


def test_one_record_of_each_outcome_waits_for_mlflow(stages: FakeStages) -> None:
    campaign.run_campaign(SMALL)
    campaign.run_campaign(SMALL)
    (record,) = journal.records()
    facts = record.facts
    assert (facts["name"], facts["status"]) == ("campaign", journal.FINISHED)
    assert [epoch["step"] for epoch in facts["epochs"]] == [10, 15, 20]
    assert facts["epochs"][2]["metrics"]["gain_margin"] == pytest.approx(0.01)
    assert facts["metrics"]["average_gain_margin_low"] == pytest.approx(0.005)
    assert facts["params"]["campaign.strategies"] == "random, margin"
    names = sorted(path.name for path in (record.folder / "artifacts").iterdir())
    assert names == ["curve.csv", "curve.png", "table.md"]
    campaign.run_campaign(replace(SMALL, rounds=3))
    assert len(journal.records()) == 2


KILLED = """
import os, signal
from pipelines import inline
run = inline._run
def dying(spec, folder, params):
    run(spec, folder, params)
    if folder.name == "round3" and folder.parent.name.startswith("margin") and spec.name == "finetune":
        os.kill(os.getpid(), signal.SIGKILL)
inline._run = dying
"""
RUN = "from pipelines import cli\nimport sys\nsys.argv = ['winnow', *'{}'.split()]\ncli.main()\n"
COMMAND = "campaign --rounds 3 --budget 5 --start 10 --seeds 1 --strategy margin"


def _project(folder: Path) -> Path:
    """Real digits, trained as little as can be."""
    folder.mkdir()
    params = {
        **PARAMS,
        "threads": 1,
        "evaluate": {"resamples": 100},
        "label": {**PARAMS["label"], "first": {"name": "typiclust"}, "folds": 0},
        "pseudo_label": {**PARAMS["pseudo_label"], "foreign": 0},
    }
    params["pretrain"] = {**PARAMS["pretrain"], "epochs": 1, "batch_size": 512}
    params["finetune"] = {"method": {"name": "linear_probe"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    return folder


def _run(folder: Path, before: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **extra}
    for name in (tracking.URI, journal.PARENT):
        if name not in extra:
            environment.pop(name, None)
    command = [sys.executable, "-c", before + RUN.format(COMMAND)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An MLflow client on the store of the project `whole`."""
    whole = _project(tmp_path / "whole")
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.chdir(whole)
    yield tracking.opened
    tracking._client = None


@pytest.mark.slow
def test_killed_in_a_round_it_comes_to_the_same_bytes(tmp_path: Path, client: Any) -> None:
    whole = _run(Path())
    assert whole.returncode == 0, whole.stderr
    broken = _project(tmp_path / "broken")
    seed = next(Path(".winnow/campaigns").glob("*/seed0"))  # what comes before margin's rounds is spared a second time
    shutil.copytree(seed, broken / seed, symlinks=True, ignore=shutil.ignore_patterns("margin-*"))
    assert _run(broken, KILLED).returncode == -signal.SIGKILL
    assert not (broken / "data/campaign").exists()
    nowhere = {tracking.URI: "http://127.0.0.1:9"}
    again = _run(broken, **nowhere)
    assert again.returncode == 0, again.stderr
    assert "7 points, 6 of them done before" in again.stdout
    for name in ("curve.csv", "table.md", "curve.png"):
        assert (broken / "data/campaign" / name).read_bytes() == (Path("data/campaign") / name).read_bytes()
    (said,) = [line for line in again.stderr.splitlines() if not line.startswith("  ")]  # what stages say is indented
    assert "MLflow" in said
    (run,) = client().search_runs([tracking.experiment()])
    assert run.data.tags["mlflow.runName"].startswith("campaign 20")
    history = client().get_metric_history(run.info.run_id, "accuracy_margin")
    assert [point.step for point in history] == [10, 15, 20, 25]
    names = sorted(item.path for item in client().list_artifacts(run.info.run_id))
    assert names == ["curve.csv", "curve.png", "table.md"]
    result = json.loads(next(Path(".winnow/campaigns").glob("*/seed0/margin-*/round3/result.json")).read_text())
    assert result["labels"] == 25
