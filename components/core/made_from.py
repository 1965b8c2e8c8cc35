"""What a run was made from, for making it again: settings, dvc.lock, environment, and how the code differs."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.installed import installed
from components.core.secrets import without_secrets

FOLDER = "made_from"  # among the artifacts of a pipeline run
CHANGES = "changes.diff"
LEFT_OUT = "left_out.txt"
ENVIRONMENT = "environment.json"
KEPT = (Path("params.yaml"), Path("dvc.yaml"), Path("dvc.lock"))
CODE = (".py", ".jinja", ".yaml", ".yml", ".toml", ".lock", ".cfg", ".ini", ".sh", ".md")  # untracked files that count
MOST = 4 * 2**20  # bytes of the differences; files beyond that are named
_MADE = (  # kept whole, known by its hash, or written by the pipeline
    *(":!dvc.lock", ":!params.yaml", ":!data/labels/ledger.csv"),
    *(":!data/label", ":!data/evaluate"),
)


@contextmanager
def made_from() -> Iterator[Path]:
    """A folder with `params.yaml`, `dvc.yaml`, `dvc.lock`, `environment.json` (see `installed`) and, where the tree is
    not as committed, `changes.diff`.

    `git apply` of the latter on the run's commit gives the code back; secrets in addresses are blotted out, and what
    would make it longer than 4 MiB is named in `left_out.txt`. The folder goes with the block.
    """
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        for path in KEPT:
            if path.is_file():
                (folder / path.name).write_text(_masked(path.read_bytes()), encoding="utf-8")
        (folder / ENVIRONMENT).write_text(json.dumps(installed(), indent=2) + "\n", encoding="utf-8")
        changes, left_out = _changes()
        if changes:
            (folder / CHANGES).write_text(changes, encoding="utf-8", newline="")
        if left_out:
            (folder / LEFT_OUT).write_text("\n".join(left_out) + "\n", encoding="utf-8")
        yield folder


def _changes() -> tuple[str, list[str]]:
    """One patch over all changed files, and the names of those that were too much; empty without git or a commit."""
    changed = _git("diff", "HEAD", "--name-only", "--no-renames", "-z", "--", ".", *_MADE)
    new = _git("ls-files", "--others", "--exclude-standard", "-z", "--", ".", *_MADE)
    untracked = [name for name in _names(new) if name.endswith(CODE)]
    parts, left_out, total = [], [], 0
    for name in sorted({*_names(changed), *untracked}):
        other = ("--no-index", "--", os.devnull, name) if name in untracked else ("HEAD", "--no-renames", "--", name)
        part = _git("diff", "--binary", *other)
        total += len(part)
        if total > MOST:
            left_out.append(name)
        else:
            parts.append(_masked(part))
    return "".join(parts), left_out


def _git(*arguments: str) -> bytes:
    """What git prints; nothing where there is no git, no repository or no commit."""
    if shutil.which("git") is None:
        return b""
    done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode in (0, 1) else b""  # 1: `diff --no-index` found a difference


def _names(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _masked(content: bytes) -> str:
    return without_secrets(content.decode("utf-8", "replace"))
