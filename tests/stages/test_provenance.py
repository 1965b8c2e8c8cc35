"""`provenance.json` of a version is an in-toto statement v1 with a SLSA provenance v1 predicate, and true.

The schema is written from https://github.com/in-toto/attestation/tree/main/spec/v1 and https://slsa.dev/provenance/v1.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from components.core import tracking
from components.core.files import sha256
from components.core.model_versions import find
from components.core.version_files import fetch

URI = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
DESCRIPTOR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "uri": URI,
        "digest": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "md5": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                "gitCommit": {"type": "string", "pattern": "^[0-9a-f]{40,64}$"},
            },
            "additionalProperties": {"type": "string"},
        },
        "content": {"type": "string", "contentEncoding": "base64"},
        "downloadLocation": URI,
        "mediaType": {"type": "string"},
        "annotations": {"type": "object"},
    },
    "anyOf": [{"required": [one]} for one in ("uri", "digest", "content")],
    "additionalProperties": False,
}
SUBJECT = {**DESCRIPTOR, "required": ["name", "digest"]}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {"type": "array", "minItems": 1, "items": SUBJECT},
        "predicateType": {"const": "https://slsa.dev/provenance/v1"},
        "predicate": {
            "type": "object",
            "required": ["buildDefinition", "runDetails"],
            "properties": {
                "buildDefinition": {
                    "type": "object",
                    "required": ["buildType", "externalParameters"],
                    "properties": {
                        "buildType": URI,
                        "externalParameters": {"type": "object"},
                        "internalParameters": {"type": "object"},
                        "resolvedDependencies": {"type": "array", "items": DESCRIPTOR},
                    },
                    "additionalProperties": False,
                },
                "runDetails": {
                    "type": "object",
                    "required": ["builder"],
                    "properties": {
                        "builder": {
                            "type": "object",
                            "required": ["id"],
                            "properties": {
                                "id": URI,
                                "version": {"type": "object", "additionalProperties": {"type": "string"}},
                                "builderDependencies": {"type": "array", "items": DESCRIPTOR},
                            },
                            "additionalProperties": False,
                        },
                        "metadata": {
                            "type": "object",
                            "properties": {
                                "invocationId": {"type": "string"},
                                "startedOn": MOMENT,
                                "finishedOn": MOMENT,
                            },
                            "additionalProperties": False,
                        },
                        "byproducts": {"type": "array", "items": DESCRIPTOR},
                    },
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
LOCK = """
schema: '2.0'
stages:
  ingest:
    deps:
    - {path: data/raw, md5: 0123456789abcdef0123456789abcdef.dir}
    - {path: data/labels/ledger.csv, md5: 0123456789abcdef0123456789abcdef}
"""


@pytest.fixture
def statement(project: Callable[..., Any]) -> dict[str, Any]:
    """That of a version which a project with a lock file registered."""
    Path("dvc.lock").write_text(LOCK)
    project()
    return _statement()


def _statement() -> dict[str, Any]:
    path = tracking.client().download_artifacts(find("winnow", 1).run_id, "provenance.json")
    return dict(json.loads(Path(path).read_text()))


def test_it_keeps_the_schemas(statement: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(statement)


def test_the_schema_can_say_no(statement: dict[str, Any]) -> None:
    statement["predicate"]["buildDefinition"].pop("buildType")
    statement["subject"][0].pop("digest")
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(statement))
    assert len(errors) >= 2


def test_it_names_the_registered_files_the_inputs_and_the_run(statement: dict[str, Any]) -> None:
    version = find("winnow", 1)
    weights = fetch(version)
    subjects = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    assert subjects["weights/model.safetensors"] == sha256(weights)
    assert subjects["weights/model.json"] == sha256(weights.with_suffix(".json"))
    definition, details = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    given = {one["name"]: one["digest"] for one in definition["resolvedDependencies"]}
    assert given["data/raw"] == {"dvcDirMd5": "0123456789abcdef0123456789abcdef"}
    assert given["data/labels/ledger.csv"] == {"md5": "0123456789abcdef0123456789abcdef"}
    assert definition["externalParameters"]["settings"]["pretrain.method.name"] == "simclr"
    assert details["metadata"]["invocationId"] == version.run_id
    assert details["metadata"]["startedOn"] <= details["metadata"]["finishedOn"]
    assert "torch" in definition["internalParameters"]["environment"]["packages"]
