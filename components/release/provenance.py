"""How a version came to be, in words that others' tools read: an in-toto statement with a SLSA provenance predicate.

Statement v1: https://in-toto.io/Statement/v1; predicate: https://slsa.dev/provenance/v1. Nothing in it is signed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version as release
from pathlib import Path
from typing import Any

from components.core import journal
from components.core.config import read_params
from components.core.files import sha256
from components.core.installed import installed
from components.core.integrity import recorded_stages
from components.core.secrets import without_secrets

FILE = "provenance.json"  # among the artifacts of the version's pipeline run
STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD, BUILDER = "urn:winnow:dvc-pipeline:v1", "urn:winnow:winnow"
GIVEN = ("data/raw", "data/weights", "data/labels/ledger.csv", "data/labels/synthetic")  # what no stage makes
FOLDER = "dvcDirMd5"  # md5 of DVC's listing of a folder


def statement(weights: Path, *, run_id: str, started: int) -> dict[str, Any]:
    """The statement on the model whose file is `weights`, its settings beside it; made in the current folder.

    started: of the pipeline run, milliseconds since 1970. Settings have their secrets blotted out.
    """
    made = journal.provenance()
    settings = {name: without_secrets(text) for name, text in journal.flatten(read_params())}
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": f"weights/{path.name}", "digest": {"sha256": sha256(path)}}
            for path in (weights, weights.with_suffix(".json"))
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD,
                "externalParameters": {"settings": settings, "graph": {"dvc.yaml": sha256(Path("dvc.yaml"))}},
                "internalParameters": {"environment": installed()},
                "resolvedDependencies": list(_dependencies(made)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"winnow": release("winnow")}},
                "metadata": {
                    "invocationId": run_id,
                    "startedOn": _moment(started),
                    "finishedOn": _moment(journal.now()),
                },
            },
        },
    }


def _dependencies(made: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Code, locked requirements, and the inputs that no stage makes, as DVC recorded them."""
    if "git_commit" in made:
        changed = {"annotations": {"filesDiffer": True}} if made.get("git_dirty") == "true" else {}
        yield {"name": "source", "digest": {"gitCommit": made["git_commit"]}, **changed}
    if (lock := Path("requirements.lock")).is_file():
        yield {"name": lock.name, "digest": {"sha256": sha256(lock)}}
    entries = {one["path"]: one for stage in recorded_stages().values() for one in stage.get("deps", [])}
    for name in GIVEN:
        if digest := str(entries.get(name, {}).get("md5", "")):
            kind = FOLDER if digest.endswith(".dir") else "md5"
            yield {"name": name, "digest": {kind: digest.removesuffix(".dir")}}


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
