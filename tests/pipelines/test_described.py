"""What `winnow export` says to model hubs and data catalogs: their forms kept, nothing made up or written over."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from torch import nn

from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.integrity import md5_of
from components.datasets.labels import Labels, write_labels
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import build_encoder, save_encoder
from pipelines.export import Stated, export_encoder
from tests.pictures import spec_of
from tests.stages.registered_world import CLASSES, write_data

SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=8, dim=32, mean=[0.5], std=[0.3])
OWNER = Stated(data_license="https://spdx.org/licenses/MIT", data_creator="Ada", data_url="https://example.org/pets")
ADDRESS = {"type": "string", "pattern": r"^https?://\S+$"}
REFERENCE = {"type": "object", "required": ["@id"], "properties": {"@id": {"type": "string"}}}
FIELD = {
    "type": "object",
    "required": ["@type", "@id", "name", "dataType", "source"],
    "properties": {
        "@type": {"const": "cr:Field"},
        "dataType": {"enum": ["sc:Text", "sc:Integer", "sc:Float", "sc:Boolean"]},
        "source": {
            "type": "object",
            "required": ["fileObject", "extract"],
            "properties": {"fileObject": REFERENCE, "extract": {"type": "object", "required": ["column"]}},
        },
        "references": {"type": "object", "required": ["field"], "properties": {"field": REFERENCE}},
    },
    "additionalProperties": True,
}
CROISSANT = {  # written from https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
    "type": "object",
    "required": [
        *("@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished"),
        "distribution",
    ],
    "properties": {
        "@type": {"const": "sc:Dataset"},
        "conformsTo": {"const": "http://mlcommons.org/croissant/1.1"},
        "license": ADDRESS,
        "url": ADDRESS,
        "creator": {"type": "object", "required": ["@type", "name"]},
        "datePublished": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "distribution": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["@type", "@id", "contentUrl", "encodingFormat", "sha256"],
                "properties": {
                    "@type": {"const": "cr:FileObject"},
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            },
        },
        "recordSet": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["@type", "@id", "field"],
                "properties": {
                    "@type": {"const": "cr:RecordSet"},
                    "key": REFERENCE,
                    "field": {"type": "array", "minItems": 1, "items": FIELD},
                },
            },
        },
    },
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small finished project with an encoder, a classifier and three labels; the current folder."""
    monkeypatch.chdir(tmp_path)
    write_data()
    torch.manual_seed(0)
    save_encoder(Path("data/pretrain/encoder.safetensors"), build_encoder(SPEC), SPEC)
    spec = ClassifierSpec(encoder=SPEC, classes=CLASSES, method="full")
    save_classifier(Path("data/finetune/model.safetensors"), Classifier(build_encoder(SPEC), nn.Linear(32, 2), spec))
    ids = [f"{number:016x}" for number in range(3)]
    shares = torch.eye(2)[[0, 1, 0]].numpy()
    Path("data/label").mkdir()
    folds = pd.Series([-1, -1, -1]).to_numpy()
    write_labels(Path("data/label/labels.parquet"), Labels(ids, shares, ["person"] * 3, folds, CLASSES))
    return tmp_path


def _card(folder: Path) -> tuple[dict[str, Any], str]:
    _, head, text = (folder / "README.md").read_text().split("---\n", 2)
    return dict(yaml.safe_load(head)), text


def test_the_card_of_an_encoder_says_what_hubs_read_and_no_figure_that_is_not_its(project: Path) -> None:
    export_encoder(Path("out"), stage="pretrain", formats=["winnow"], stated=Stated(license="apache-2.0"))
    head, text = _card(Path("out"))
    assert head == {
        "license": "apache-2.0",
        "pipeline_tag": "image-feature-extraction",
        "tags": ["winnow", "small_resnet", "simclr"],
    }
    assert "An encoder of pictures: `small_resnet`, pretrained by simclr" in text
    assert "| `encoder.safetensors` | winnow |" in text
    export_encoder(Path("out"), stage="finetune", formats=["winnow"])  # evaluated was another model, or none
    head, text = _card(Path("out"))
    assert "model-index" not in head
    assert "license" not in head
    assert "0.9000" not in text


def test_the_card_of_the_classifier_that_was_evaluated_has_its_figures(project: Path) -> None:
    model = "data/finetune/model.safetensors"
    stages = {"evaluate": {"deps": [{"path": model, "md5": md5_of(Path(model))}]}}
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    export_encoder(Path("out"), stage="finetune", formats=["winnow"])
    head, text = _card(Path("out"))
    (index,) = head["model-index"]
    (result,) = index["results"]
    assert index["name"] == "winnow"
    assert result["task"] == {"type": "image-classification"}
    assert {"type", "name"} <= result["dataset"].keys()
    assert result["dataset"]["revision"] == sha256(Path("data/ingest/manifest.parquet"))
    assert result["metrics"] == [{"type": "accuracy", "value": 0.9, "name": "test accuracy"}]
    assert "0.9000 (0.8000 to 1.0000)" in text


def test_a_readme_that_is_not_winnows_is_never_written_over(project: Path) -> None:
    Path("README.md").write_text("mine\n")
    with pytest.raises(WinnowError, match=r"README\.md is there already and no card of Winnow's"):
        export_encoder(Path(), stage="pretrain", formats=["winnow"])
    assert Path("README.md").read_text() == "mine\n"
    assert not Path("encoder.safetensors").exists()


def test_the_data_set_is_described_as_croissant_demands(project: Path) -> None:
    export_encoder(Path("out"), stage="pretrain", formats=["croissant"], stated=OWNER)
    found = json.loads(Path("out/croissant.json").read_text())
    jsonschema.validate(found, CROISSANT)
    assert not Path("out/README.md").exists()
    assert not Path("out/encoder.safetensors").exists()
    for file in found["distribution"]:
        assert sha256(Path("out", file["contentUrl"])) == file["sha256"]
    ids = [one["@id"] for one in _every(found) if "@type" in one and "@id" in one]
    assert len(ids) == len(set(ids))
    assert {one["@id"] for one in _every(found) if one.keys() == {"@id"}} <= set(ids)  # no reference leads nowhere
    for records in found["recordSet"]:
        for field in records["field"]:
            table = pq.read_schema(Path("out", field["source"]["fileObject"]["@id"]))
            assert field["source"]["extract"]["column"] in table.names
    labels = pd.read_parquet("out/labels.parquet")
    assert labels["class"].tolist() == ["cat", "dog", "cat"]
    assert found["description"].startswith("40 pictures, 20 to train with and 20 to test with;")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found, "conformsTo": "1.1"}, CROISSANT)


def _every(value: Any) -> list[dict[str, Any]]:
    """All objects in a JSON value but the context."""
    if isinstance(value, list):
        return [one for inner in value for one in _every(inner)]
    if not isinstance(value, dict):
        return []
    return [value, *(one for name, inner in value.items() if name != "@context" for one in _every(inner))]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"data_license": ""}, "--data-license is missing: Croissant demands an address"),
        ({"data_license": "MIT"}, "--data-license is 'MIT'"),
        ({"data_url": "ftp://x"}, "--data-url is 'ftp://x'"),
        ({"data_creator": " "}, "--data-creator is missing"),
        ({"license": "mit"}, "--license is of the weights"),
    ],
)
def test_what_only_the_owner_knows_is_asked_for_before_anything_is_written(
    project: Path, change: dict[str, str], refusal: str
) -> None:
    with pytest.raises(WinnowError, match=refusal):
        export_encoder(Path("out"), stage="pretrain", formats=["croissant"], stated=Stated(**{**vars(OWNER), **change}))
    assert not Path("out").exists()


def test_what_is_of_the_data_is_refused_where_no_data_is_described(project: Path) -> None:
    with pytest.raises(WinnowError, match="are for --format croissant: name it too"):
        export_encoder(Path("out"), stage="pretrain", formats=["winnow"], stated=OWNER)
