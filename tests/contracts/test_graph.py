"""The graph tells the truth: names match, arguments match, and a stage depends on the code it imports."""

import inspect
import subprocess
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from components.core.config import StageParams, read_params, read_yaml
from components.core.dag import CODE, by_argument, read_stages
from components.core.plugins import CHOICES
from components.core.stage_settings import stage_settings

ROOT = Path(__file__).resolve().parents[2]
PARAMS = read_params(ROOT / "params.yaml")
STAGES = read_stages(ROOT)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_a_file_a_block_and_a_test_of_its_name(name: str) -> None:
    assert (ROOT / "components" / "stages" / f"{name}.py").is_file()
    assert (ROOT / "tests" / "stages" / f"test_{name}.py").is_file()
    assert name in PARAMS or name not in STAGES[name].settings


@pytest.mark.parametrize("name", STAGES)
def test_run_takes_the_paths_that_the_graph_lists(name: str) -> None:
    spec, stage = STAGES[name], import_module(f"components.stages.{name}")
    signature = inspect.signature(stage.run)
    hints = get_type_hints(stage.run)
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    listed = {"params", *spec.told(PARAMS), *spec.inputs, *by_argument(list(spec.outputs))}
    takes = {name for name, one in signature.parameters.items() if one.kind is not one.VAR_KEYWORD}
    assert takes <= listed
    assert takes == listed or inspect.Parameter.VAR_KEYWORD in kinds  # then all the others by name
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    assert all(hints[argument] is Path for argument in signature.parameters if argument not in ("params", "settings"))


@pytest.mark.parametrize("name", STAGES)
def test_the_settings_that_ship_are_valid(name: str) -> None:
    stage = import_module(f"components.stages.{name}")
    assert issubclass(stage.Params, StageParams)
    stage_settings(name, PARAMS)


@pytest.mark.parametrize("name", [name for name in STAGES if name != CODE.name])
def test_a_stage_depends_on_its_code_and_the_code_stage_writes_it(name: str) -> None:
    written = CODE / f"{name}.json"
    assert [path for path in STAGES[name].dependencies if path.parent == CODE] == [written]
    assert written in STAGES[CODE.name].outputs
    assert all(path.parts[0] == "data" for path in STAGES[name].dependencies)


def test_the_code_stage_runs_again_when_another_plugin_is_chosen() -> None:
    settings = {tuple(name.split(".")) for name in STAGES[CODE.name].settings}
    assert settings == {(*place, "name") for place in CHOICES}


def test_every_output_is_kept_by_git_or_by_dvc() -> None:
    blocks = read_yaml(ROOT / "dvc.yaml")["stages"].values()
    entries = [entry for block in blocks for kind in ("outs", "metrics", "plots") for entry in block.get(kind, [])]
    plain = [entry if isinstance(entry, dict) else {entry: {}} for entry in entries]
    uncached = {path for entry in plain for path, facts in entry.items() if facts.get("cache") is False}
    every = {path for entry in plain for path in entry}
    asked = subprocess.run(  # --no-index: what the patterns say, of files that git already has too
        ["git", "check-ignore", "--no-index", *every], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert every - set(asked.stdout.splitlines()) == uncached


def test_outputs_lie_in_the_stages_own_folder() -> None:
    for name, spec in STAGES.items():
        assert all(path.parts[:2] == ("data", name) for path in spec.outputs)


def test_the_architecture_page_names_every_output() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    outputs = [path.relative_to("data") for name, spec in STAGES.items() for path in spec.outputs if name != CODE.name]
    assert [path for path in outputs if f"`{path.as_posix()}`" not in page] == []
