"""`winnow rebuild`: a registered version made again from its commit and inputs, and compared stage by stage."""

import shutil
from contextlib import suppress
from pathlib import Path

from components.core import journal
from components.core.config import read_params
from components.core.dag import read_stages
from components.core.errors import WinnowError
from components.core.installed import beside, installed
from components.core.integrity import recorded_stages
from components.core.lock import locked
from components.core.model_versions import Version, find, model_digest
from components.core.run_source import RunSource, run_source
from components.core.signals import stoppable
from components.core.version_files import WEIGHTS
from pipelines.answering.compared import Compared, compare_stage
from pipelines.answering.how_far import how_far
from pipelines.answering.kept import kept
from pipelines.answering.scratch_copy import scratch_copy
from pipelines.dvc import run_dvc
from pipelines.plan import order
from pipelines.settings import model_name
from pipelines.watch import WATCHED, note_source, note_weights, outside_source

HOME = Path(".winnow/rebuild")
LAST = ("register", "report")  # they say what the registry says, and are not made again
MODEL = Path("data/finetune/model.safetensors")
MOST = 20  # lines of the environments beside each other


def rebuild(wanted: str, *, with_changes: bool = False) -> bool:
    """Make the version again and print how each stage compares; whether all of it is identical.

    Everything runs anew, in a folder with a cache of its own, which stays only where something differs; it stops at
    the first stage that does. Nothing is registered, no run is tracked. with_changes: run the differences from the
    commit that the version's run kept, which are no code of git's. Raises WinnowError where another one makes the same
    version again, and as `scratch_copy` does.
    """
    version = find(model_name(), wanted)
    whose = f"version {version.number} of {version.name}"
    busy = f"process {{pid}} is making {whose} again: wait for it, or stop it."
    with stoppable(), locked(HOME / f"{version.number}.lock", wait=0, busy=busy):
        source = run_source(version.run_id, whose)
        folder = HOME / str(version.number)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            project = scratch_copy(source, folder, whose, with_changes=with_changes)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _note_outside(project)
        print(f"{whose}: commit {source.commit[:12]}, made again in {folder}", flush=True)
        _say_environment(source)
        if (different := _run(source, project)) is not None:
            _say_difference(different, source, project)
            return False
        return _same_model(version, project, folder)


def _note_outside(project: Path) -> None:
    """Say what lies outside of the project as it is now: a change there is one of what a stage was given."""
    params = read_params(project / "params.yaml")
    for note in (note_source, note_weights):
        with suppress(WinnowError):  # its stage says what is wrong
            note(params, project)


def _run(source: RunSource, project: Path) -> Compared | None:
    """Run stage by stage; the first that made other bytes. Raises WinnowError where one fails."""
    for name in [one for one in order(read_stages(project)) if one not in LAST]:
        lines: list[str] = []
        code = run_dvc(["repro", "--single-item", name], {journal.PARENT: "rebuild"}, listen=lines.append, at=project)
        if code:
            raise WinnowError(f"{name} failed in {project}: {' '.join(lines)[-300:].strip()}")
        compared = compare_stage(name, source.lock, recorded_stages(project))
        told = f", though {'; '.join(compared.causes)}" if compared.same and compared.causes else ""
        print(f"  {name:<14}{'identical' if compared.same else 'differs'}{told}", flush=True)
        if not compared.same:
            return compared
    return None


def _same_model(version: Version, project: Path, folder: Path) -> bool:
    if model_digest(project / MODEL) != version.sha256:
        print(
            f"the model differs from the registered {WEIGHTS}, though the stages do not: its run's dvc.lock is not its."
        )
        return False
    shutil.rmtree(folder)
    print(f"identical: version {version.number} was made again to the byte (sha256 {version.sha256}).")
    return True


def _say_difference(found: Compared, source: RunSource, project: Path) -> None:
    print(f"first difference: {found.stage}")
    for cause in found.causes:
        print(f"  given     {cause}{_outside(cause, project)}")
    if not found.causes:
        print("  given     the same code, settings and inputs")
    for path in found.differs:
        print(f"  made      {path}: {_far(path, source, project)}")
    print(f"what was made stays in {project}, to look at.")


def _outside(cause: str, project: Path) -> str:
    """Where the watched folder only notes what lies elsewhere: that place."""
    place = outside_source(read_params(project / "params.yaml"))
    if place is None or not cause.startswith(f"{WATCHED} "):
        return ""
    return f": it notes {place}, which has changed since (`winnow doctor` names the files)"


def _far(path: Path, source: RunSource, project: Path) -> str:
    then, now = kept(source.outputs.get(path)), project / path
    if not now.is_file():
        return "not made now"
    if path not in source.outputs:
        return "not made then"
    return how_far(then, now) if then is not None else "what it was then is kept no more"


def _say_environment(source: RunSource) -> None:
    """The two environments beside each other, where they differ."""
    if not source.environment:
        print("  what was installed then is not known")
        return
    rows = beside(source.environment, installed())
    if not rows:
        print("  the same environment")
        return
    print("  the environments differ (then, now):")
    for name, then, now in rows[:MOST]:
        print(f"    {name:<28}{then}  |  {now}")
    if len(rows) > MOST:
        print(f"    and {len(rows) - MOST} more")
