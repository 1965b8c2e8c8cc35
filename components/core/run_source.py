"""What a pipeline run kept of how it was made, read back: commit, settings, dvc.lock, differences, environment."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core import tracking
from components.core.errors import WinnowError
from components.core.integrity import LOCK_FILE, Recorded, recorded_outputs, recorded_stages
from components.core.made_from import CHANGES, ENVIRONMENT, FOLDER, LEFT_OUT


@dataclass(frozen=True)
class RunSource:
    """tags: the run's; files: what it kept, by name; lock: `dvc.lock`'s stages; outputs: those recorded there.

    environment: as `installed` gave it; {} of runs from before it was kept.
    """

    run_id: str
    tags: Mapping[str, str]
    started: int
    ended: int
    files: Mapping[str, str]
    lock: Mapping[str, Any]
    outputs: Mapping[Path, Recorded]
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """Of git; empty where there was no repository."""
        return self.tags.get("git_commit", "")

    @property
    def changes(self) -> str:
        """How the code differed from its commit, as a patch; mostly empty."""
        return self.files.get(CHANGES, "")

    @property
    def left_out(self) -> list[str]:
        """Files that differed from the commit and were too much to keep."""
        return self.files.get(LEFT_OUT, "").splitlines()

    def given(self, path: Path) -> str:
        """md5 of an input that no stage makes, as DVC took it; empty where no stage reads it."""
        entries = [entry for stage in self.lock.values() for entry in stage.get("deps", [])]
        return next((str(entry.get("md5", "")) for entry in entries if entry.get("path") == path.as_posix()), "")


def run_source(run_id: str, whose: str) -> RunSource:
    """Read it from MLflow. whose: named in the sentence that WinnowError says where the run or its files are gone."""
    store = tracking.opened()
    with tempfile.TemporaryDirectory() as home:
        try:
            with tracking.answering():
                run = store.get_run(run_id)
                folder = Path(store.download_artifacts(run_id, FOLDER, home))
        except (WinnowError, OSError) as error:
            raise WinnowError(
                f"the run that made {whose} does not tell how ({str(error).rstrip('.')[:200]}): restore it in MLflow's "
                "pages (`winnow ui`), or take a later version."
            ) from None
        files = {path.name: _text(path) for path in sorted(folder.iterdir()) if path.is_file()}
        if LOCK_FILE.name not in files:
            raise WinnowError(f"the run that made {whose} kept no {LOCK_FILE}: take a version that a whole run made.")
        try:
            lock, outputs = recorded_stages(folder), recorded_outputs(folder)
        except WinnowError:
            raise WinnowError(
                f"the {LOCK_FILE} that the run of {whose} kept is damaged: take another version, or restore the file."
            ) from None
    times = int(run.info.start_time or 0), int(run.info.end_time or 0)
    return RunSource(run_id, dict(run.data.tags), *times, files, lock, outputs, _environment(files))


def _environment(files: Mapping[str, str]) -> Mapping[str, Any]:
    """What was kept of it; {} where that was nothing, or somebody has made something else of it."""
    try:
        found = json.loads(files.get(ENVIRONMENT, "{}"))
    except (ValueError, RecursionError):
        return {}
    whole = isinstance(found, dict) and isinstance(found.get("packages"), dict) and "python" in found
    return found if whole else {}


def _text(path: Path) -> str:
    """With its line ends as they are: a patch counts them."""
    return path.read_bytes().decode("utf-8", "replace")
