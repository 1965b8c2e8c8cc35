"""Looks the workspace over, says what is wrong and how to mend it, and mends what can be mended safely."""

from collections.abc import Callable

from components.core.errors import WinnowError
from components.core.lock import locked
from components.core.outcome import explain
from pipelines.checkups import Finding, data, pages, surroundings, workspace
from pipelines.session import LOCK

CHECKUPS: dict[str, Callable[[], list[Finding]]] = {  # in an order in which one's cure helps the next
    "Python and libraries": surroundings.python_and_libraries,
    "tools": surroundings.tools,
    "room": surroundings.room,
    "settings": workspace.settings,
    "graph files": workspace.graph_files,
    "orphaned stages": workspace.orphaned_stages,
    "DVC's locks": workspace.locks,
    "leftovers": workspace.leftovers,
    "old files": workspace.old_files,
    "experiment": pages.experiments,
    "DVC's cache": data.cached_versions,
    "outputs": data.outputs,
    "remote": data.remote,
    "pictures": data.raw_files,
    "MLflow's store": surroundings.mlflow_store,
    "models": pages.models,
    "schedule": pages.schedules,
}
WIDTH = max(map(len, CHECKUPS)) + 2


def examine(*, fix: bool) -> int:
    """Print one line per checkup, two per finding; with `fix`, mend and say so. Returns 0 when nothing wrong is left.

    Raises WinnowError while a run is at work in this folder: half-written is no fault then.
    """
    busy = [finding.what for finding in workspace.locks() if finding.fix is None]
    if fix and busy:
        raise WinnowError(f"{busy[0]} Nothing was mended: wait for it or stop it, then look again.")
    with locked(LOCK, wait=0, busy="a run (process {pid}) is at work in this folder: wait for it, then look again."):
        left = sum(_show(title, checkup, fix=fix) for title, checkup in CHECKUPS.items())
    if left:
        print(f"\n{left} left to mend" + ("." if fix else "; `winnow doctor --fix` mends what is marked with *."))
    return 1 if left else 0


def _show(title: str, checkup: Callable[[], list[Finding]], *, fix: bool) -> int:
    """Print what a checkup came to; how many wrong things are left."""
    try:
        findings = checkup()
    except Exception as error:  # one part that cannot be looked at hides no other
        findings = [Finding(explain(error, "doctor")[0], "mend that, then look again.")]
    if not findings:
        print(f"{title:<{WIDTH}}ok", flush=True)
    left = 0
    for number, finding in enumerate(findings):
        head = title if number == 0 else ""
        print(f"{head:<{WIDTH}}{finding.what}")
        mended, words = _mend(finding) if fix and finding.fix else (False, "")
        mark = " *" if finding.fix else ""
        print(f"{'':<{WIDTH}}  -> {words or finding.cure + mark}", flush=True)
        left += finding.wrong and not mended
    return left


def _mend(finding: Finding) -> tuple[bool, str]:
    assert finding.fix is not None
    try:
        return True, finding.fix()
    except (WinnowError, OSError) as error:
        return False, f"not mended: {error}"
