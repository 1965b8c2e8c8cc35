"""What a run has to do: DVC's order, what follows from what, and why."""

from pathlib import Path

import pytest
import yaml

from components.core.dag import read_stages
from components.core.errors import WinnowError
from pipelines.plan import Step, order, plan

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def _by_name(steps: list[Step]) -> dict[str, Step]:
    return {step.stage: step for step in steps}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a library of DVC's
def test_stages_come_after_what_they_need_and_in_the_order_dvc_walks() -> None:
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro

    with Repo(".") as repo:
        walked = [stage.name for stage in plan_repro(repo.index.graph)]
    assert order(read_stages()) == walked


def test_nothing_stale_means_nothing_to_run() -> None:
    assert not any(step.why for step in plan({}))


def test_what_follows_from_a_stale_stage_runs_too_and_says_so() -> None:
    steps = _by_name(plan({"label": ("data/labels/ledger.csv changed",)}))
    assert steps["label"].why == ("data/labels/ledger.csv changed",)
    assert steps["pseudo_label"].why == ("label runs",)
    assert {name for name, step in steps.items() if not step.why} == {
        "code",
        "ingest",
        "validate",
        "augment",
        "pretrain",
        "embed",
    }
    assert not any(step.forced for step in steps.values())


def test_a_start_forces_it_and_all_after_it() -> None:
    steps = plan({}, start="finetune")
    assert {step.stage for step in steps if step.forced} == {"finetune", "evaluate", "select", "register", "report"}
    assert plan({}, force=True, start="finetune") == steps
    assert all(step.forced for step in plan({}, force=True))


def test_a_stage_waits_only_for_those_that_nothing_else_makes_it_wait_for() -> None:
    steps = _by_name(plan({}))
    assert steps["embed"].needs == ("pretrain",)
    assert steps["register"].needs == ("evaluate",)


def test_an_unknown_start_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(WinnowError, match="unknown stage 'finetun': did you mean 'finetune'"):
        plan({}, start="finetun")


def test_a_changed_setting_is_named_with_both_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = {"cmd": "true", "params": ["toy"], "outs": ["data/toy/x"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"toy": stage}}))
    Path("params.yaml").write_text("toy: {epochs: 40, method: {name: a}}\n")
    then = {"toy": {"params": {"params.yaml": {"toy": {"epochs": 80, "method": {"name": "a"}}}}}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": then}))
    (step,) = plan({"toy": ("toy changed", "data/toy/x missing")})
    assert step.why == ("toy.epochs 80 -> 40", "data/toy/x missing")
