"""The graph tells the truth: names match, arguments match, and a stage depends on the code it imports."""

import ast
import inspect
import subprocess
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from components.core.config import StageParams, read_params, read_yaml
from components.core.dag import by_argument, read_stages
from components.core.stage_settings import stage_settings

ROOT = Path(__file__).resolve().parents[2]
PARAMS = read_params(ROOT / "params.yaml")
STAGES = read_stages(PARAMS, ROOT)
# Orchestration: what is in core decides when and where a stage runs, not its bytes. Seeds do.
BYTES_IN_CORE = {"components.core.seeds"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_has_a_file_a_block_and_a_test_of_its_name(name: str) -> None:
    assert (ROOT / "components" / "stages" / f"{name}.py").is_file()
    assert (ROOT / "tests" / "stages" / f"test_{name}.py").is_file()
    assert name in PARAMS


@pytest.mark.parametrize("name", STAGES)
def test_run_takes_the_paths_that_the_graph_lists(name: str) -> None:
    spec, stage = STAGES[name], import_module(f"components.stages.{name}")
    signature = inspect.signature(stage.run)
    hints = get_type_hints(stage.run)
    expected = ["params", *spec.inputs, *by_argument(list(spec.outputs))]
    assert sorted(signature.parameters) == sorted(expected)
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in signature.parameters.values())
    assert all(hints[argument] is Path for argument in expected if argument != "params")


@pytest.mark.parametrize("name", STAGES)
def test_the_settings_that_ship_are_valid(name: str) -> None:
    stage = import_module(f"components.stages.{name}")
    assert issubclass(stage.Params, StageParams)
    stage_settings(name, PARAMS)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_stale_when_code_it_imports_changes(name: str) -> None:
    listed = {path for path in STAGES[name].dependencies if path.suffix == ".py"}
    plugins = _choices(name, listed)  # whichever is chosen
    needed = _imported_files(f"components.stages.{name}", *(_module(path) for path in plugins))
    missing = sorted(path.as_posix() for path in needed - listed - set(plugins))
    assert not missing, f"add to the deps of {name} in dvc.yaml: {missing}"


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


@pytest.mark.parametrize("name", STAGES)
def test_every_code_dependency_exists_and_is_used(name: str) -> None:
    listed = {path for path in STAGES[name].dependencies if path.suffix == ".py"}
    assert all((ROOT / path).is_file() for path in listed)
    reached = _imported_files(f"components.stages.{name}", *(_module(path) for path in _choices(name, listed)))
    assert listed <= reached


def test_outputs_lie_in_the_stages_own_folder() -> None:
    for name, spec in STAGES.items():
        assert all(path.parts[:2] == ("data", name) for path in spec.outputs)


def _choices(name: str, listed: set[Path]) -> list[Path]:
    """Every plug-in of the families of which the stage depends on the chosen one, not on one that it always imports."""
    chosen = listed - _imported_files(f"components.stages.{name}")
    families = {path.parent for path in chosen if _is_plugin(path) and path.stem != "__init__"}
    return [path.relative_to(ROOT) for family in families for path in (ROOT / family).glob("[a-z]*.py")]


def _imported_files(*modules: str) -> set[Path]:
    """Files of `components` that the modules import, directly or through others, functions' own imports included.

    A file that holds its docstring alone, as most `__init__.py` do, decides no bytes.
    """
    waiting, seen = list(modules), set()
    while waiting:
        module = waiting.pop()
        if module in seen or (module.startswith("components.core") and module not in BYTES_IN_CORE):
            continue
        path = _path(module)
        if path is None:
            continue
        seen.add(module)
        waiting += _imports(path)
    paths = [path for module in seen if (path := _path(module)) is not None]
    return {path.relative_to(ROOT) for path in paths if len(ast.parse(path.read_text(encoding="utf-8")).body) > 1}


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("components"):
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("components")]
    return found


def _path(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def _is_plugin(path: Path) -> bool:
    return path.parts[1:3] in {("datasets", "sources"), ("models", "encoders")} or (
        path.parts[1] == "methods" and len(path.parts) == 4
    )
