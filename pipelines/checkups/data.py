"""What the pipeline made: cached versions, files in the workspace, the remote, and the pictures it was made from."""

import functools
import json
import re
import shutil
from pathlib import Path

from components.core import plugins
from components.core.config import expanded, read_params
from components.core.errors import WinnowError
from components.core.files import move, replacing, sha256
from components.core.integrity import Recorded, intact, md5_of, recorded_outputs
from components.core.progress import bar
from pipelines.checkups import Finding
from pipelines.dvc import ask_dvc

OBJECT = re.compile(r"[0-9a-f]{30}(\.dir)?")
REPLACED = Path(".winnow/replaced")
NAMED = 5  # files named one by one; of the rest the number


def cached_versions() -> list[Finding]:
    """Every object in DVC's cache has the content its name says. Reads all of it."""
    home = _objects()
    owners = {item.md5: item for item in _records()}
    paths = sorted(path for path in home.glob("[0-9a-f][0-9a-f]/*") if path.is_file())
    found = []
    for path in bar(paths, total=len(paths), label="cache", unit=" files"):
        name = path.parent.name + path.name
        if not OBJECT.fullmatch(path.name):
            what = f"{path} was never finished by DVC."
            found.append(Finding(what, "remove it.", functools.partial(_drop, path, None)))
        elif md5_of(path) != name.removesuffix(".dir"):
            owner = owners.get(name)
            whose = f"{owner.path}, written by {owner.stage}" if owner else "a version that dvc.lock does not name"
            what = f"the cached {whose}, is corrupt ({path})." if owner else f"{whose} is corrupt ({path})."
            cure = "remove it, so that DVC fetches or makes it anew."
            found.append(Finding(what, cure, functools.partial(_drop, path, owner)))
    return found


def outputs() -> list[Finding]:
    """Every output in the workspace is as `dvc.lock` records it, whatever its times say."""
    return [
        Finding(
            f"{known.path} is not what {known.stage} wrote (recorded in dvc.lock).",
            "take the recorded version from DVC's cache, or make it anew with `winnow repro`.",
            functools.partial(_restore, known),
        )
        for known in _records()
        if known.path.is_file() and not intact(known)
    ]


def remote() -> list[Finding]:
    """Remotes check what they hand out, and hold what `dvc.lock` names."""
    lines = ask_dvc("config", "--list").splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    names = sorted(key.split(".")[1] for key in told if key.startswith("remote.") and key.endswith(".url"))
    found = [
        Finding(
            f"remote {name} hands out corrupt objects unseen.",
            f"`dvc config remote.{name}.verify true`",
            functools.partial(_verify, name),
        )
        for name in names
        if told.get(f"remote.{name}.verify", "").lower() != "true"
    ]
    return found + (_not_on_remote() if "core.remote" in told else [])


def raw_files() -> list[Finding]:
    """The pictures are the ones that ingest read. Only where the source is a folder."""
    manifest, folder = Path("data/ingest/manifest.parquet"), _source()
    if folder is None or not manifest.is_file():
        return []
    import pyarrow.parquet as pq

    rows = pq.read_table(manifest, columns=["path", "sha256"]).to_pylist()
    changed, gone = [], []
    for row in bar(rows, total=len(rows), label="pictures", unit=" files"):
        path = folder / row["path"]
        if not path.is_file():
            gone.append(row["path"])
        elif sha256(path) != row["sha256"]:
            changed.append(row["path"])
    cure = "bring them back from where you had them; if the change is meant, `winnow repro --from ingest`."
    pairs = ((changed, "changed since ingest read them"), (gone, "gone since ingest read them"))
    return [Finding(f"pictures in {folder} {how}: {_few(names)}.", cure) for names, how in pairs if names]


def _records() -> list[Recorded]:
    """What dvc.lock names; nothing where it cannot be read, which is another checkup's finding."""
    try:
        return [item for item in recorded_outputs().values() if not item.is_folder]
    except WinnowError:
        return []


def _objects() -> Path:
    home = Path(ask_dvc("cache", "dir").strip()) / "files/md5"
    return home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home


def _drop(path: Path, owner: Recorded | None) -> str:
    """Remove a cached object; where the workspace has the file whole, a copy of that takes its place."""
    path.unlink()
    if owner is None:
        return f"removed {path}."
    if not owner.path.is_file() or not intact(owner):
        return f"removed {path}; `dvc fetch {owner.path}` or `winnow repro` brings {owner.path} back."
    with replacing(path) as copy:
        shutil.copyfile(owner.path, copy)
    path.chmod(0o444)
    return f"put {owner.path} into the cache again; the workspace had it whole."


def _restore(known: Recorded) -> str:
    """DVC looks at times, not contents: it brings back only what is gone."""
    cached = _objects() / known.md5[:2] / known.md5[2:]
    kept = _set_aside(known.path)
    if not cached.is_file() or md5_of(cached) != known.md5:
        return f"moved it to {kept}; the cache does not have it whole, `winnow repro` makes it anew."
    ask_dvc("checkout", "--force", str(known.path))
    return f"took it from the cache; what was there is {kept}."


def _set_aside(path: Path) -> Path:
    """Kept for a while (see `workspace.old_files`): it may be the one copy of what another dvc.lock names."""
    kept = REPLACED / f"{path.parent.name}-{path.name}"
    REPLACED.mkdir(parents=True, exist_ok=True)
    move(path, kept)
    kept.touch()
    return kept


def _verify(name: str) -> str:
    ask_dvc("config", f"remote.{name}.verify", "true")
    return f"remote {name} now has verify = true in .dvc/config."


def _not_on_remote() -> list[Finding]:
    try:
        status = json.loads(ask_dvc("status", "--cloud", "--json") or "{}")
    except WinnowError as error:
        return [Finding(f"the remote does not answer: {error}", "check its address and your access.")]
    missing = sorted(name for name, state in status.items() if state in ("new", "missing"))
    if not missing:
        return []
    return [Finding(f"the remote lacks {_few(missing)}.", "`dvc push`", wrong=False)]


def _source() -> Path | None:
    """The folder that ingest reads, if it reads one."""
    ingest = read_params().get("ingest") or {}
    source = str(ingest.get("source", "")) if isinstance(ingest, dict) else ""
    return None if source.partition(":")[0] in plugins.names("source") else Path(expanded(source))


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
