"""Makes DVC see changes in pictures, or in weights to start from, that lie outside the folders it watches."""

import json
from pathlib import Path
from typing import Any

from components.core.config import expanded
from components.core.files import sha256, write_text
from components.datasets.sources import _outside as outside
from components.datasets.sources import place_of

WATCHED = Path("data/raw")
NOTE = WATCHED / outside.NOTE
WEIGHTS = Path("data/weights")
WEIGHTS_NOTE = WEIGHTS / "source.json"


def note_source(params: dict[str, Any], at: Path = Path()) -> None:
    """Write what lies in the outside folder (count, bytes, digest of names, sizes and times) to `data/raw/source.json`.

    DVC watches `data/raw`, so a change out there makes `ingest` stale. An archive counts as one
    file. Where there is neither, the note is removed. at: the project.
    """
    place = outside_source(params)
    if place is None or not place.exists():
        (at / NOTE).unlink(missing_ok=True)
        return
    _write(at / NOTE, outside.facts_of(place))


def note_weights(params: dict[str, Any], at: Path = Path()) -> None:
    """Write the sha256 of the file in `pretrain.weights` to `data/weights/source.json`, which makes `pretrain` stale.

    Where there is no such file, or it lies in the watched folder, the note is removed.
    """
    (at / WEIGHTS).mkdir(parents=True, exist_ok=True)  # a stage's input, though it be empty
    block = params.get("pretrain")
    given = block.get("weights") if isinstance(block, dict) else None
    given = given.get("path") if isinstance(given, dict) else given
    place = Path(expanded(str(given))) if given else None
    if place is None or not place.is_file() or place.resolve().is_relative_to(WEIGHTS.resolve()):
        (at / WEIGHTS_NOTE).unlink(missing_ok=True)
        return
    beside = place.with_suffix(".json")  # what belongs to them
    _write(at / WEIGHTS_NOTE, {"sha256": sha256(place), **({"json": sha256(beside)} if beside.is_file() else {})})


def outside_source(params: dict[str, Any]) -> Path | None:
    """The folder or archive that `ingest` reads, if it is not in the watched one."""
    block = params.get("ingest")
    ingest = block if isinstance(block, dict) else {}
    if not ingest.get("source"):
        return None
    place = place_of(expanded(str(ingest.get("source", ""))), Path(expanded(str(ingest.get("root", WATCHED)))))
    return None if place is None else _beyond(place)


def _write(note: Path, facts: dict[str, Any]) -> None:
    text = json.dumps(facts, sort_keys=True, indent=2) + "\n"
    if not note.is_file() or note.read_text(encoding="utf-8") != text:
        write_text(note, text)


def _beyond(folder: Path) -> Path | None:
    return None if folder.resolve().is_relative_to(WATCHED.resolve()) else folder
