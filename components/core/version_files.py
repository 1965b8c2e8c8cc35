"""The files of a model version on this machine: a closed list, every byte checked at each use, never a program."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

from components.core import tracking
from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.mlmodel import EXAMPLE, foreign
from components.core.model_versions import ALL_FILES, Version, model_digest

HOME = Path(".winnow/models")
WEIGHTS = "weights/model.safetensors"  # inside a version's folder, with its .json beside it
ANSWERS = "answers.json"  # what the model says to the pictures in EXAMPLE
FILES = ("MLmodel", ANSWERS, EXAMPLE, WEIGHTS, "weights/model.json")
BEFORE = (  # of versions that still held a program; `data` is never read
    *("MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "input_example.json", EXAMPLE),
    *("data/model.pt2", WEIGHTS, "weights/model.json"),
)
LARGEST = {WEIGHTS: 2**33, "data/model.pt2": 2**33, EXAMPLE: 2**28, "input_example.json": 2**28}  # bytes
LARGEST_OTHER = 2**22
_SOURCE = re.compile(r"models:/m-[0-9a-f]{32}")  # where `create` puts them
_DIGEST = re.compile(r"[0-9a-f]{64}")


def fetch(version: Version, *, fresh: bool = False) -> Path:
    """Path of the version's weights in its copy on this machine, which has been checked; `fresh`: copied anew.

    Raises WinnowError unless the version is of our own making and whole: its files are those that Winnow writes, none
    more, none a link, and every byte is what was registered. Nothing of it is loaded or imported before or here.
    """
    where = f"version {version.number} of {version.name}"
    if not _SOURCE.fullmatch(version.source):
        raise WinnowError(
            f"{where} has its files at {version.source[:80]}, where Winnow puts none: it is not loaded; register "
            "models with `winnow repro`."
        )
    if not all(_DIGEST.fullmatch(digest) for digest in (version.sha256, version.tags.get(ALL_FILES, "0" * 64))):
        raise WinnowError(f"{where} has no sha256 to check it by: it was not registered by Winnow, and is not loaded.")
    home = HOME / f"{version.name}-{version.number}-{version.sha256[:12]}"
    if fresh or not home.exists():
        _copy(version, home, where)
    _check(home, version, where)
    return home / WEIGHTS


def _check(home: Path, version: Version, where: str) -> None:
    found = _regular_files(home, where)
    whole = version.tags.get(ALL_FILES)
    _check_names(found, FILES if whole or ANSWERS in found else BEFORE, where)
    if problem := foreign(home / "MLmodel"):
        raise WinnowError(f"{where} was not registered by Winnow ({problem}): it is not loaded.")
    same = sha256(home) == whole if whole else ANSWERS not in found
    if not same or model_digest(home / WEIGHTS) != version.sha256:
        raise WinnowError(
            f"{where} is not what was registered (its sha256 differs): delete {home} to fetch it anew, or register the "
            "model again with `winnow repro`."
        )


def _check_names(found: dict[str, int], known: tuple[str, ...], where: str) -> None:
    odd = sorted(found.keys() - set(known))
    if odd:
        raise WinnowError(f"{where} holds {odd[0]!r}, which Winnow does not write ({len(odd)} such): it is not loaded.")
    large = [name for name, size in found.items() if size > LARGEST.get(name, LARGEST_OTHER)]
    if large:
        raise WinnowError(f"{where} holds {large[0]} of {found[large[0]]:,} bytes, too large: it is not loaded.")
    lacking = sorted(set(known) - found.keys())
    if lacking:
        raise WinnowError(
            f"{where} lacks {', '.join(lacking)}: `winnow rollback` or `winnow promote` another version, or register "
            "the model anew with `winnow repro --from register`."
        )


def _regular_files(home: Path, where: str) -> dict[str, int]:
    """Size by path inside `home`; raises WinnowError for a link or what is neither file nor folder."""
    found = {}
    for path in [home, *_below(home)]:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            found[path.relative_to(home).as_posix()] = path.lstat().st_size
        elif not stat.S_ISDIR(mode):
            name = path.relative_to(home).as_posix()
            raise WinnowError(f"{where} holds {name!r}, which is no plain file (a link?): it is not loaded.")
    return found


def _below(home: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(home):  # follows no links
        yield from (Path(folder, name) for name in (*folders, *files))


def _copy(version: Version, home: Path, where: str) -> None:
    """Bring the files here, each after its name and size; what was at `home` is replaced when all have come."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as aside, tracking.answering():
        place = tracking.client().get_model_version_download_uri(version.name, str(version.number))
        listed = _listed(place, where)
        _check_names(listed, FILES if ANSWERS in listed else BEFORE, where)
        for name in listed:
            file = Path(aside, "model", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            _bring(place, name, file)
            file.chmod(0o444)
        _remove(home)
        Path(aside, "model").replace(home)


def _bring(place: str, name: str, file: Path) -> None:
    from mlflow.artifacts import download_artifacts

    if (folder := _local(place)) is not None:
        shutil.copyfile(folder / name, file, follow_symlinks=False)
    else:
        download_artifacts(f"{place}/{name}", dst_path=str(file.parent), tracking_uri=tracking.tracking_uri())


def _local(place: str) -> Path | None:
    """The folder that the address is of, on this machine."""
    address = urlparse(place)
    return Path(unquote(address.path)) if address.scheme in ("", "file") else None


def _listed(place: str, where: str) -> dict[str, int]:
    """Size of each file at the address `place`, by its path there; folders Winnow does not make are not entered."""
    from mlflow.artifacts import list_artifacts

    if (home := _local(place)) is not None:
        if not home.is_dir():
            raise WinnowError(
                f"{where} is gone from {home}: bring its files back, or run `winnow repro --from register`, which "
                "registers the model anew; `winnow rollback` or `winnow promote` makes another one serve."
            )
        return _regular_files(home, where)
    found: dict[str, int] = {}
    for folder in ("", "weights", "data"):
        uri = f"{place}/{folder}" if folder else place
        for item in list_artifacts(uri, tracking_uri=tracking.tracking_uri()):
            name = "/".join(filter(None, [folder, item.path.rsplit("/", 1)[-1]]))
            if not (item.is_dir and name in ("weights", "data")):
                found[name] = item.file_size or 0
    return found


def _remove(home: Path) -> None:
    if home.is_symlink() or home.is_file():
        home.unlink()
    elif home.exists():
        shutil.rmtree(home)
