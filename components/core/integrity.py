"""What `dvc.lock` records of each output, and whether a file still is that: DVC itself trusts times and sizes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.core.errors import WinnowError
from components.core.files import sha256

LOCK_FILE = Path("dvc.lock")
MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")  # what git leaves in a file it could not merge
BLOCK = 2**20
UNKNOWN = -1  # a size that dvc.lock does not give
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Recorded:
    """An output as the stage that made it left it. `md5` and `size` (bytes) are DVC's."""

    stage: str
    path: Path
    md5: str
    size: int

    @property
    def is_folder(self) -> bool:
        """A folder's md5 is that of a listing in DVC's cache, so it says nothing without the cache."""
        return self.md5.endswith(".dir")


def recorded_outputs(root: Path = Path()) -> dict[Path, Recorded]:
    """Every output in `root/dvc.lock` by its path; empty where nothing was recorded yet.

    Raises WinnowError for conflict markers, and for what is not a lock file at all.
    """
    path, stages = root / LOCK_FILE, recorded_stages(root)
    try:
        outputs = [(stage, entry) for stage, block in stages.items() for entry in block.get("outs", [])]
        made = [Recorded(stage, Path(e["path"]), str(e["md5"]), int(e.get("size", UNKNOWN))) for stage, e in outputs]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _broken(path, "an output in it lacks its path or md5") from None
    return {item.path: item for item in made}


def recorded_stages(root: Path = Path()) -> dict[str, Any]:
    """What `root/dvc.lock` holds of each stage: `cmd`, `deps`, `params`, `outs`; raises as `recorded_outputs` does."""
    path = root / LOCK_FILE
    return _stages(path) if path.is_file() else {}


def checking(recorded: dict[Path, Recorded], stage: str) -> Callable[[Path], tuple[str, str]]:
    """`hashes`, which refuses a file that is not as recorded.

    `stage` is who reads. Raises WinnowError naming the file and the way back.
    """

    def digest(path: Path) -> tuple[str, str]:
        found, md5 = hashes(path)
        known = recorded.get(path)
        if known and not known.is_folder and md5 != known.md5:
            raise WinnowError(
                f"{path} is not what {known.stage} wrote (recorded in {LOCK_FILE}): run `winnow doctor --fix`, which "
                f"brings it back where DVC's cache has it whole, then `dvc repro {stage}`."
            )
        return found, md5

    return digest


def hashes(path: Path) -> tuple[str, str]:
    """The sha256 of a file or folder, as `files.sha256` gives it, and a file's md5, read once; a folder has no md5."""
    if path.is_dir():
        return sha256(path), ""
    ours, theirs = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            ours.update(block)
            theirs.update(block)
    return ours.hexdigest(), theirs.hexdigest()


def intact(known: Recorded, root: Path = Path()) -> bool:
    """Whether the file at the recorded path has the recorded content; it must exist."""
    path = root / known.path
    return known.size in (path.stat().st_size, UNKNOWN) and md5_of(path) == known.md5


def md5_of(path: Path) -> str:
    """Hex digest as DVC takes it: an identifier here, never a protection against malice."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _stages(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(MARKERS):
            raise _broken(path, f"line {number} is a conflict marker of git")
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, the C one where there is one
    except yaml.YAMLError as error:
        raise _broken(path, " ".join(str(error).split())) from None
    stages = content.get("stages") if isinstance(content, dict) else None
    if content is not None and not isinstance(stages, dict):
        raise _broken(path, "it has no `stages`")
    return stages or {}


def _broken(path: Path, problem: str) -> WinnowError:
    return WinnowError(
        f"{path} cannot be read ({problem}): take one side whole with `git checkout --ours {path}` (or `--theirs`, or "
        f"the last commit's with `git checkout HEAD {path}`), then run `winnow repro`."
    )
