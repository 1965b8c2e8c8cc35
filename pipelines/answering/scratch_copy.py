"""A project as it was when a version was made, in a folder of its own: its commit, its settings, its inputs."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from components.core.errors import WinnowError
from components.core.integrity import md5_of
from components.core.made_from import CHANGES
from components.core.run_source import RunSource
from components.datasets.ledger_before import ledger_before
from pipelines.answering.kept import cached

LEDGER = Path("data/labels/ledger.csv")
FOLDERS = (Path("data/raw"), Path("data/weights"), Path("data/labels/synthetic"))
SETTINGS = ("params.yaml", "dvc.yaml")


def scratch_copy(source: RunSource, folder: Path, whose: str) -> Path:
    """Make it in `folder`, which must not exist; returns the project's place in it.

    Inputs come from DVC's cache where it has them, else from this workspace as they are; the ledger is the first part
    of today's that it was. Raises WinnowError where commit, differences or ledger are no more.
    """
    if not source.commit:
        raise WinnowError(f"{whose} was made in no git repository, so that its code is not known: take a later one.")
    if source.left_out:
        raise WinnowError(
            f"{whose} was made with changed files that were too much to keep ({source.left_out[0]}): take one that was "
            "made from a commit."
        )
    ledger = _ledger(source, whose)
    inside = _git(Path(), "rev-parse", "--show-prefix").strip()
    top = Path(_git(Path(), "rev-parse", "--show-toplevel").strip())
    try:
        _git(Path(), "clone", "--quiet", "--shared", "--no-checkout", str(top), str(folder))
        _git(folder, "checkout", "--quiet", source.commit)
        if source.changes:
            patch = folder / ".git" / CHANGES
            patch.write_text(source.changes, encoding="utf-8", newline="")
            _git(folder, "apply", "--whitespace=nowarn", str(patch.absolute()))
    except WinnowError as error:
        raise WinnowError(f"the code of {whose} cannot be had ({str(error).rstrip('.')}): fetch its commit.") from None
    project = folder / inside
    for name in SETTINGS:
        (project / name).write_text(source.files[name], encoding="utf-8")
    (project / "dvc.lock").unlink(missing_ok=True)
    for path in FOLDERS:
        _restore(path, project / path, source.given(path))
    (project / LEDGER).parent.mkdir(parents=True, exist_ok=True)
    (project / LEDGER).write_bytes(ledger)
    _own_cache(project)
    return project


def _ledger(source: RunSource, whose: str) -> bytes:
    wanted = source.given(LEDGER)
    content = ledger_before(LEDGER, wanted)
    if content is None:
        with suppress(WinnowError):
            told = _git(Path(), "show", f"{source.commit}:./{LEDGER}")
            Path(".winnow").mkdir(exist_ok=True)
            aside = Path(".winnow/ledger_of_commit.csv")
            aside.write_bytes(told.encode())
            content = aside.read_bytes() if md5_of(aside) == wanted else None
            aside.unlink()
    if content is None:
        raise WinnowError(
            f"the ledger that {whose} learned from is no first part of {LEDGER} any more, nor in its commit: bring the "
            "rows back that were changed or taken out."
        )
    return content


def _restore(path: Path, target: Path, md5: str) -> None:
    """The folder from DVC's cache, where it has the listing and every file; else as this workspace has it."""
    shutil.rmtree(target, ignore_errors=True)
    listing = cached(md5)
    if listing is not None:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        found = {one["relpath"]: cached(one["md5"]) for one in entries}
        if all(found.values()):
            for name, content in found.items():
                assert content is not None
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                _link(str(content), str(target / name))
            return
    if path.is_dir():
        shutil.copytree(path, target, copy_function=_link)
    else:
        target.mkdir(parents=True)


def _link(source: str, target: str) -> None:
    """A hard link, which costs no room: stages never write their inputs; a copy where none can be made."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _own_cache(project: Path) -> None:
    """DVC set up there with a cache of its own, so that nothing is taken from an earlier run."""
    if not (project / ".dvc/config").is_file():
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "init", "--quiet", "--force", "--subdir"],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise WinnowError(f"dvc init failed in {project}: {' '.join(done.stderr.split())[:200]}")
    (project / ".dvc/config.local").write_text("[cache]\n    dir = cache\n", encoding="utf-8")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WinnowError(f"git {arguments[0]} said: {' '.join(done.stderr.split())[:200]}.")
    return done.stdout
