"""A graph of two toy stages in a folder of its own, for tests of what drives the stages."""

import shutil
from pathlib import Path

import pytest

from components.core import tracking

ROOT = Path(__file__).resolve().parents[2]
DVC_YAML = """
stages:
  first:
    cmd: python first.py
    params: [first]
    deps: [first.py]
    outs: [data/first/x]
  second:
    cmd: python second.py
    params: [second]
    deps: [data/first/x]
    outs: [data/second/x]
"""
STAGE = """
import sys
import time
from pathlib import Path
from components.core.pipeline_run import stage_keys
from components.core.tracking import stage_run
with stage_run("{name}", key=stage_keys()["{name}"], params={{}}) as tracker:
    Path("data/{name}").mkdir(parents=True, exist_ok=True)
    {body}
    Path("data/{name}/x").write_text("{name}")
    tracker.finish({{}}, [])
"""


def begin(folder: Path, empty_store: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the folder a project, with a copy of the store and caches of its own, and go there."""
    folder.mkdir(exist_ok=True)
    patch.chdir(folder)
    shutil.copyfile(empty_store, "mlflow.db")
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = True\n")
    Path(".dvc/config.local").write_text("[core]\n    no_scm = true\n")
    for name in (tracking.URI, "WINNOW_PIPELINE_RUN"):
        patch.delenv(name, raising=False)
    patch.setenv("PYTHONPATH", str(ROOT))
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("DVC_SITE_CACHE_DIR", str(folder / ".winnow/dvc"))
    Path("data/raw").mkdir(parents=True)
    Path("dvc.yaml").write_text(DVC_YAML)
    Path("params.yaml").write_text("first: {}\nsecond: {}\nregister: {name: toys}\n")


def write_stages(*, first: str = "pass", second: str = "pass") -> None:
    """Write both stages; the text is what each does beside writing its output."""
    for name, body in (("first", first), ("second", second)):
        Path(f"{name}.py").write_text(STAGE.format(name=name, body=body))
