"""The runs of a version's stages as OpenLineage events (https://openlineage.io/docs/spec/object-model), a line each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.model_versions import find
from components.core.run_source import RunSource, run_source
from components.core.terminal import short
from pipelines.answering.lineage import Facts, of_version
from pipelines.settings import model_name

SPEC, FACETS = (
    "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "https://openlineage.io/spec/facets",
)
PRODUCER, FILES = "urn:winnow:winnow", "file"  # the namespace of paths in the project's folder
DATA = Path("data")
Event = dict[str, Any]


def write_events(wanted: str, path: Path) -> str:
    """Write a START and a COMPLETE of every stage whose run is known, the oldest first; what was written, in a line.

    Raises WinnowError where there is no such version, none of its stages' runs, or the file is one that stages write or
    holds something else.
    """
    if not wanted:
        raise WinnowError("--openlineage is of a version: name one, such as champion.")
    if path.is_dir() or path.resolve().is_relative_to(DATA.resolve()):
        raise WinnowError(f"{short(path)} is no place for the events: name a file outside {DATA}/.")
    if path.is_file() and PRODUCER.encode() not in path.read_bytes()[:4096]:
        raise WinnowError(f"{short(path)} is there already and holds something else: name another file.")
    version = find(model_name(), wanted)
    source = run_source(version.run_id, f"version {version.number} of {version.name}")
    facts = of_version(str(version.number))
    found = sorted(events(facts, source), key=lambda event: event["eventTime"])
    if not found:
        raise WinnowError(f"no run of a stage of version {version.number} is known, so that there are no events.")
    write_text(path, "".join(json.dumps(event) + "\n" for event in found))
    return f"{path}: {len(found)} events of version {version.number}"


def events(facts: Facts, source: RunSource) -> Iterator[Event]:
    """Of each stage with a run that has ended. facts: as `of_version` gives them."""
    for one in facts["stages"]:
        if not one.get("ended"):
            continue
        block = source.lock.get(one["stage"], {})
        common = {
            "run": {"runId": _uuid(one["run_id"]), "facets": _parent(facts, one)},
            "job": {"namespace": facts["name"], "name": one["stage"]},
            "inputs": [_dataset(entry) for entry in block.get("deps", [])],
            "producer": PRODUCER,
            "schemaURL": SPEC,
        }
        yield {"eventType": "START", "eventTime": one["began"], **common, "outputs": []}
        outputs = [_dataset(entry) for entry in block.get("outs", [])]
        yield {"eventType": "COMPLETE", "eventTime": one["ended"], **common, "outputs": outputs}


def _parent(facts: Facts, one: Facts) -> dict[str, Any]:
    if not one["pipeline_run"]:
        return {}
    job = {"namespace": facts["name"], "name": "pipeline"}
    return {"parent": _facet("1-0-1", "ParentRunFacet", run={"runId": _uuid(one["pipeline_run"])}, job=job)}


def _dataset(entry: dict[str, Any]) -> dict[str, Any]:
    digest = str(entry.get("md5", ""))
    facets = {"version": _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=digest)} if digest else {}
    return {"namespace": FILES, "name": str(entry.get("path", "")), "facets": facets}


def _facet(version: str, name: str, **facts: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{FACETS}/{version}/{name}.json#/$defs/{name}", **facts}


def _uuid(run_id: str) -> str:
    """MLflow's ids are such without dashes."""
    return str(UUID(hex=run_id))
