"""A project as it was when a version was made, in a folder of its own: its commit, its settings, its inputs."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

from components.core.errors import WinnowError
from components.core.integrity import md5_of
from components.core.made_from import CHANGES, FOLDER
from components.core.run_source import RunSource
from components.core.secrets import without_secrets
from components.core.terminal import short
from components.datasets.ledger_before import ledger_before
from pipelines.answering.kept import cached

LEDGER = Path("data/labels/ledger.csv")
FOLDERS = (Path("data/raw"), Path("data/weights"), Path("data/labels/synthetic"))
SETTINGS, GRAPH = "params.yaml", "dvc.yaml"
COMMIT = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")  # of git: nothing that its commands take for an option


def scratch_copy(source: RunSource, folder: Path, whose: str, *, with_changes: bool = False) -> Path:
    """Make it in `folder`, which must not exist; returns the project's place in it.

    Inputs come from DVC's cache where it has them, else from this workspace as they are; the ledger is the first part
    of today's that it was. Code comes from git alone, but for the differences that the run kept, by `with_changes`.
    Raises WinnowError where commit, differences or ledger are no more, and for code that nobody vouched for.
    """
    _check(source, whose, with_changes)
    ledger = _ledger(source, whose)
    inside = _git(Path(), "rev-parse", "--show-prefix").strip()
    top = Path(_git(Path(), "rev-parse", "--show-toplevel").strip())
    folder.parent.mkdir(parents=True, exist_ok=True)
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
    graph = (project / GRAPH).read_text(encoding="utf-8", errors="replace") if (project / GRAPH).is_file() else ""
    if without_secrets(graph).split() != source.files[GRAPH].split():
        raise WinnowError(
            f"the {GRAPH} that the run of {whose} kept is not that of its commit, and what it would run is not known: "
            "take a version whose run nobody has edited."
        )
    (project / SETTINGS).write_text(source.files[SETTINGS], encoding="utf-8")
    (project / "dvc.lock").unlink(missing_ok=True)
    for path in FOLDERS:
        _restore(path, project / path, source.given(path))
    (project / LEDGER).parent.mkdir(parents=True, exist_ok=True)
    (project / LEDGER).write_bytes(ledger)
    _own_cache(project)
    return project


def _check(source: RunSource, whose: str, with_changes: bool) -> None:
    """Raise WinnowError where what the run kept does not do, before anything is written."""
    if not source.commit:
        raise WinnowError(f"{whose} was made in no git repository, so that its code is not known: take a later one.")
    if not COMMIT.fullmatch(source.commit):
        raise WinnowError(
            f"the tag git_commit of the run that made {whose} is '{short(source.commit)}', no commit: take another one."
        )
    if source.left_out:
        raise WinnowError(
            f"{whose} was made with changed files that were too much to keep ({short(source.left_out[0])}): take one "
            "that was made from a commit."
        )
    if missing := [name for name in (SETTINGS, GRAPH) if name not in source.files]:
        raise WinnowError(f"the run that made {whose} kept no {missing[0]}: take a version that a whole run made.")
    if source.changes and not with_changes:
        raise WinnowError(
            f"{whose} was made with files that differ from its commit, and what its run kept of them would run here: "
            f"read {FOLDER}/{CHANGES} among the artifacts of run {source.run_id} (`winnow ui`), then use "
            "--with-changes."
        )


def _ledger(source: RunSource, whose: str) -> bytes:
    wanted = source.given(LEDGER)
    content = ledger_before(LEDGER, wanted)
    if content is None:
        with suppress(WinnowError):
            told = _git_bytes(Path(), "show", f"{source.commit}:./{LEDGER}")
            content = told if hashlib.md5(told, usedforsecurity=False).hexdigest() == wanted else None
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
        found = [(one["relpath"], place) for one in entries if (place := _whole(one["md5"])) is not None]
        if len(found) == len(entries) and all(_within(name) for name, _ in found):
            for name, content in found:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                _link(str(content), str(target / name))
            return
    if path.is_dir():
        shutil.copytree(path, target, copy_function=_link)
    else:
        target.mkdir(parents=True)


def _whole(md5: str) -> Path | None:
    """The cache's object, which DVC itself does not look at again; None where it is not there, or another by now."""
    place = cached(md5)
    return place if place is not None and md5_of(place) == md5 else None


def _within(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


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
    return os.fsdecode(_git_bytes(folder, *arguments))


def _git_bytes(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace")
        raise WinnowError(f"git {arguments[0]} said: {' '.join(told.split())[:200]}.")
    return done.stdout
