"""What the pipeline stands on: Python, libraries, tools, the machine's room, and MLflow's store."""

import functools
import importlib.util
import os
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from components.core import store_upkeep
from components.core.environment import QUIET
from components.core.errors import WinnowError
from pipelines.checkups import Finding
from pipelines.preflight import concerns

PYTHON = ((3, 11), (3, 14))  # from, and below


def python_and_libraries() -> list[Finding]:
    """The versions that pyproject.toml asks for are the ones installed."""
    from packaging.requirements import Requirement

    low, high = PYTHON
    found = []
    if not low <= sys.version_info[:2] < high:
        what = f"this is Python {sys.version_info.major}.{sys.version_info.minor}; Winnow runs on 3.11 to 3.13."
        found.append(Finding(what, "install one of those, then `make setup`."))
    for text in _requirements():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        have = _installed(wanted.name)
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            what = f"{wanted.name} is {have or 'not installed'}, and Winnow needs {wanted.specifier}."
            found.append(Finding(what, "`make setup` installs what requirements.lock says."))
    return found


def tools() -> list[Finding]:
    """DVC is there, and no library reports what you do or opens pickles."""
    found = []
    if importlib.util.find_spec("dvc") is None:
        found.append(Finding("DVC is not installed in this Python.", "`make setup`"))
    private = "DVC_SITE_CACHE_DIR"  # a matter of taste
    loud = [name for name, quiet in QUIET.items() if name != private and os.environ.get(name, quiet) != quiet]
    return found + [
        Finding(f"{name} is '{os.environ[name]}' in your environment.", f"unset it: Winnow sets it to {QUIET[name]}.")
        for name in loud
    ]


def room() -> list[Finding]:
    """Processors, memory, disk, permissions and servers suffice for a run."""
    from components.core.config import read_params

    try:
        params = read_params()
    except WinnowError:
        return []  # the settings' own checkup says so
    found = []
    for concern in concerns(params, with_prefect=True):
        what, _, cure = concern.text.rpartition(": ")
        found.append(Finding(f"{what}.", cure, wrong=concern.stops))
    return found


def mlflow_store() -> list[Finding]:
    """MLflow's database is of the installed version, and no run in it is open without a process."""
    try:
        behind = store_upkeep.behind()
        if behind:
            return [Finding(behind, "copy it aside and migrate it: `winnow doctor --fix`.", store_upkeep.migrate)]
        unfinished = store_upkeep.unfinished()
    except WinnowError as error:
        return [Finding(str(error), "mend that, then look again.")]
    if not unfinished:
        return []
    what = f"runs that MLflow counts as running, though nobody writes them any more: {len(unfinished)}."
    return [Finding(what, "close them as killed.", functools.partial(store_upkeep.close, unfinished))]


def _requirements() -> list[str]:
    """Of the checkout at hand, or of the installed package."""
    project = Path("pyproject.toml")
    if project.is_file():
        told = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if told.get("name") == "winnow":
            return list(told["dependencies"])
    try:
        return requires("winnow") or []
    except PackageNotFoundError:
        return []


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
