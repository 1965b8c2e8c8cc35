"""Files that are whole or absent: write aside, flush, rename; and the hashes that prove them."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.core.errors import WinnowError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is flushed to disk and takes its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield aside
        _flush(aside)
        aside.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a write cut short by a full disk does not say where
            error.filename = str(path)
        raise
    finally:
        aside.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Move a file or a folder to `target`, in place of what is there; whole at any time, on another mount too.

    A rename does not cross mounts (a container's volumes): there it is copied beside the target, flushed and renamed.
    """
    try:
        _put(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        aside = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
        try:
            _copy(source, aside)
            _put(aside, target)
        finally:
            _remove(aside)
        _remove(source)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text so that a reader sees the old file or the new one, never half."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises WinnowError naming the file where it holds none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or nested beyond all sense
        values = None
    if not isinstance(values, dict):
        raise WinnowError(
            f"{path} is damaged: `winnow doctor --fix` brings it back where DVC's cache has it whole; else remove it "
            "and run `winnow repro`."
        )
    return values


def sha256(path: Path) -> str:
    """Hex digest of a file, or of a folder: of its files' relative paths and digests in sorted order."""
    if path.is_dir():
        digest = hashlib.sha256()
        for file in sorted(item for item in path.rglob("*") if item.is_file() and "__pycache__" not in item.parts):
            digest.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _put(source: Path, target: Path) -> None:
    """Rename; a folder that holds something lets nothing take its place, so it goes first."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR):
            raise
        shutil.rmtree(target)
        source.replace(target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, every byte of it on the disk afterwards."""
    if not source.is_dir():
        shutil.copyfile(source, target)
        _flush(target)
        return
    shutil.copytree(source, target)
    for path in target.rglob("*"):
        if path.is_file():
            _flush(path)


def _flush(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
