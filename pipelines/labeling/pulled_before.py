"""Up to when a project of Label Studio was pulled, so that the next pull asks for what has changed since alone."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from components.core.files import read_json, sha256, write_text
from pipelines.labeling.places import LEDGER, MANIFEST

KEPT = Path(".winnow/label_studio_pulled.json")
OVERLAP = timedelta(minutes=5)  # a server may show an older change after a newer one


def changed_since(mark: str, classes: list[str]) -> str:
    """A query of the data manager for a project's tasks that are newer than the last pull; of all by number, where
    that cannot be told: the ledger no longer begins as it was then, or samples or classes are others."""
    kept = read_json(KEPT).get(mark) if KEPT.is_file() else None
    query: dict[str, object] = {"ordering": ["tasks:id"]}
    if kept and kept["about"] == _about(classes) and _begins(kept["size"]) == kept["ledger"]:
        since = datetime.fromisoformat(kept["newest"]).astimezone(UTC) - OVERLAP
        value = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        item = {"filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime", "value": value}
        query["filters"] = {"conjunction": "and", "items": [item]}
    return json.dumps(query)


def keep(mark: str, newest: str, classes: list[str]) -> None:
    """Remember that all up to `newest`, as the server's clock has it, is in the ledger as it stands."""
    others = read_json(KEPT) if KEPT.is_file() else {}
    size = LEDGER.stat().st_size
    mine = {"newest": newest, "about": _about(classes), "size": size, "ledger": _begins(size)}
    write_text(KEPT, json.dumps({**others, mark: mine}, indent=2, sort_keys=True) + "\n")


def _about(classes: list[str]) -> str:
    return hashlib.sha256(json.dumps([sha256(MANIFEST), classes]).encode()).hexdigest()


def _begins(size: int) -> str:
    """The sha256 of the ledger's first bytes, to which rows are only appended."""
    with LEDGER.open("rb") as file:
        return hashlib.sha256(file.read(size)).hexdigest()
