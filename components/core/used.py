"""What a stage used: everything it reads is hashed before it runs and compared when it has run; a change stops it."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from components.core.config import read_params
from components.core.dag import StageSpec, key_of, read_stages
from components.core.errors import WinnowError
from components.core.files import read_json, sha256, write_text
from components.core.integrity import hashes
from components.core.journal import flatten

HOME = Path(".winnow/used")  # one file per stage that ran; `pipelines/records.py` compares them with what DVC recorded
TICK = 2.0  # seconds: the coarsest clock of a file system; two changes within it may leave the same times
NAMED = 3  # changes in a sentence
SETTINGS = (Path("params.yaml"), Path("dvc.yaml"))
Digest = Callable[[Path], tuple[str, str]]  # sha256 and md5


@dataclass
class Seen:
    """A file or folder as it was found. facts: digest of every file's size, times and inode, which is quick to take;
    young: changed so lately that the facts prove nothing; sha256: of the content, empty where only the facts count;
    md5: a file's, as DVC records it.
    """

    facts: str
    young: bool
    sha256: str = ""
    md5: str = ""

    def untouched(self, path: Path) -> bool:
        """Whether nobody wrote it since: what was changed and changed back may have been read in between."""
        if not path.exists() or look(path).facts != self.facts:
            return False
        return not (self.young and self.sha256) or self.same(path)

    def same(self, path: Path) -> bool:
        """Whether its content is what it was."""
        return path.exists() and sha256(path) == self.sha256


@dataclass
class Used:
    """The graph's words on a stage, its settings and what it reads, as they were when the stage began."""

    stage: str
    command: str
    dependencies: list[str]
    params: dict[str, Any]
    about: dict[str, Seen]  # the files that hold the settings and the graph
    seen: dict[str, Seen] = field(default_factory=dict)

    @classmethod
    def by(cls, spec: StageSpec, params: dict[str, Any], about: dict[str, Seen]) -> "Used":
        """Nothing that it reads is seen yet. about: `settings_files()` from before they were read."""
        return cls(spec.name, spec.command, [path.as_posix() for path in spec.dependencies], spec.chosen(params), about)

    def see(self, path: Path, digest: Digest | None = hashes) -> None:
        """Remember `path` as it is now, its content too unless `digest` is None."""
        self.seen[path.as_posix()] = _seen(path, digest)

    def key(self) -> str:
        """The stage's key, as `StageSpec.key` gives it."""
        return key_of(self.command, {name: self.seen[name].sha256 for name in self.dependencies}, self.params)

    def changes(self) -> list[str]:
        """Names of the settings that are no more what they were, and of the files that somebody wrote."""
        files = [name for name, seen in self.seen.items() if not seen.untouched(Path(name))]
        return [*self._changed_settings(), *files]

    def untouched(self) -> bool:
        """Whether nobody wrote any of it, settings of others included."""
        return all(seen.untouched(Path(name)) for name, seen in {**self.about, **self.seen}.items())

    def confirm(self) -> None:
        """Raise WinnowError where something the stage used has changed since it began."""
        if changed := self.changes():
            named = ", ".join(changed[:NAMED]) + (f" and {len(changed) - NAMED} more" if len(changed) > NAMED else "")
            raise WinnowError(f"{named} changed while {self.stage} ran, so nothing was recorded: run it again.")

    def save(self) -> None:
        """Keep it for whoever compares it with what DVC recorded."""
        write_text(HOME / f"{self.stage}.json", json.dumps(asdict(self), sort_keys=True, indent=2) + "\n")

    def _changed_settings(self) -> list[str]:
        if all(seen.untouched(Path(name)) for name, seen in self.about.items()):
            return []
        try:
            params = read_params()
            spec = read_stages().get(self.stage)
        except WinnowError:  # in the middle of being edited
            return ["params.yaml or dvc.yaml"]
        if spec is None:
            return ["dvc.yaml"]
        names = differing(self.params, spec.chosen(params))
        graph = (spec.command, [path.as_posix() for path in spec.dependencies]) != (self.command, self.dependencies)
        return [f"{name} in params.yaml" for name in names] or (["dvc.yaml"] if graph else [])


def differing(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of the settings that are not the same in both."""
    before, after = dict(flatten(then)), dict(flatten(now))
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def settings_files() -> dict[str, Seen]:
    """The files that hold the settings and the graph, as they are now."""
    return {path.as_posix(): _seen(path) for path in SETTINGS if path.is_file()}


def saved() -> list[Used]:
    """What the stages used that have run since the folder was emptied."""
    found = []
    for path in sorted(HOME.glob("*.json")):
        facts = read_json(path)
        for part in ("about", "seen"):
            facts[part] = {name: Seen(**seen) for name, seen in facts[part].items()}
        found.append(Used(**facts))
    return found


def look(path: Path) -> Seen:
    """The facts of a file, or of every file in a folder, in the order of their names."""
    digest, latest = hashlib.sha256(), 0
    for name, found in _files(path):
        latest = max(latest, found.st_mtime_ns, found.st_ctime_ns)
        facts = f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ctime_ns}\0{found.st_ino}\n"
        digest.update(facts.encode("utf-8", "surrogateescape"))
    return Seen(digest.hexdigest(), young=time.time_ns() - latest < TICK * 1e9)


def confirm() -> None:
    """Raise WinnowError where something that the running stage used has changed: for what cannot be taken back."""
    if _running:
        _running[-1].confirm()


@contextmanager
def running(used: Used) -> Iterator[None]:
    """While the block runs, `confirm` means this stage."""
    _running.append(used)
    try:
        yield
    finally:
        _running.remove(used)


_running: list[Used] = []


def _seen(path: Path, digest: Digest | None = hashes) -> Seen:
    """The facts are taken first: a change while the content is read shows in them."""
    found = look(path)
    if digest is None:
        return found
    content, md5 = digest(path)
    return replace(found, sha256=content, md5=md5)


def _files(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    if not path.is_dir():
        yield "", path.stat()
        return
    for place, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            file = os.path.join(place, name)  # noqa: PTH118 - a Path for each of a million files takes seconds
            yield os.path.relpath(file, path), os.stat(file, follow_symlinks=os.path.exists(file))  # noqa: PTH110, PTH116
