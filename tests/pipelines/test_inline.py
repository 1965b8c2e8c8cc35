"""Stages in this process: outputs whole or absent, a ledger of its own, folders that can be moved."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from components.core import stage_settings
from components.core.config import StageParams, read_params
from components.datasets.ledger import read_ledger
from pipelines import inline

SHIPPED = read_params(Path(__file__).resolve().parents[2] / "params.yaml")
PARAMS: dict[str, Any] = {**SHIPPED, "seed": 3, "threads": 1, "augment": {}}
Stage = Callable[..., dict[str, float]]


@pytest.fixture
def augment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], None]:
    """Puts a function in the place of the stage `augment`."""

    def put(run: Stage) -> None:
        for module in (inline, stage_settings):
            monkeypatch.setattr(module, "import_module", lambda name: SimpleNamespace(Params=StageParams, run=run))

    return put


def test_a_stage_gets_its_settings_and_its_paths_in_the_folder(augment: Any, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def run(**arguments: Any) -> dict[str, float]:
        seen.update(arguments)
        arguments["policy"].write_text("new")
        return {}

    augment(run)
    spent = inline.run_stages(["augment"], tmp_path, PARAMS)
    assert list(spent) == ["augment"]
    assert (seen["params"].seed, seen["params"].threads) == (3, 1)
    assert seen["manifest"] == tmp_path / "data/ingest/manifest.parquet"
    assert (tmp_path / "data/augment/policy.json").read_text() == "new"


def test_a_stage_that_breaks_off_leaves_what_was_there_before(augment: Any, tmp_path: Path) -> None:
    def run(*, policy: Path, **others: Any) -> dict[str, float]:
        policy.write_text("half")
        raise KeyboardInterrupt

    augment(run)
    with pytest.raises(KeyboardInterrupt):
        inline.run_stages(["augment"], tmp_path, PARAMS)
    assert not (tmp_path / "data/augment").exists()
    (tmp_path / "data/augment").mkdir()
    (tmp_path / "data/augment/policy.json").write_text("whole")
    with pytest.raises(KeyboardInterrupt):
        inline.run_stages(["augment"], tmp_path, PARAMS)
    assert (tmp_path / "data/augment/policy.json").read_text() == "whole"


def test_a_run_leaves_nothing_of_an_earlier_one(augment: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        augment(lambda *, policy, name=name, **others: policy.with_name(name).touch())
        inline.run_stages(["augment"], tmp_path, PARAMS)
    assert [path.name for path in (tmp_path / "data/augment").iterdir()] == ["two"]
    assert not list(tmp_path.glob("aside-*"))


def test_a_stage_does_not_feel_what_ran_before_it(augment: Any, tmp_path: Path) -> None:
    drawn = []
    augment(lambda **others: drawn.append((torch.rand(1).item(), torch.get_num_threads())))
    inline.run_stages(["augment"], tmp_path, PARAMS)
    torch.rand(5)
    inline.run_stages(["augment"], tmp_path, PARAMS)
    assert drawn[0] == drawn[1]
    assert drawn[0][1] == 1


def test_the_ledger_is_an_empty_one_unless_the_folder_has_its_own(augment: Any, tmp_path: Path) -> None:
    augment(lambda **others: {})
    inline.run_stages(["augment"], tmp_path, PARAMS)
    ledger = tmp_path / inline.LEDGER
    assert len(read_ledger(ledger)) == 0
    ledger.write_text(ledger.read_text() + "a,cat,ann,person,0,0,,\n")
    inline.run_stages(["augment"], tmp_path, PARAMS)
    assert len(read_ledger(ledger)) == 1


def test_folders_that_share_stages_can_be_moved_together(tmp_path: Path) -> None:
    (tmp_path / "old/base/data/embed").mkdir(parents=True)
    (tmp_path / "old/base/data/embed/x").write_text("vectors")
    inline.share(tmp_path / "old/base", tmp_path / "old/other", ["embed"])
    inline.share(tmp_path / "old/base", tmp_path / "old/other", ["embed"])
    (tmp_path / "old").rename(tmp_path / "new")
    assert (tmp_path / "new/other/data/embed/x").read_text() == "vectors"
