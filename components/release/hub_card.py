"""A card for model hubs beside an exported encoder: YAML on top that they read, and below it what people want to know.

Fields: https://huggingface.co/docs/hub/model-cards; what is not known is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.core.errors import WinnowError
from components.models.encoder_file import EncoderSpec

FILE = "README.md"
MARK = "<!-- written by `winnow export` -->"
LIBRARIES = {"timm": "timm", "sentence_transformers": "sentence-transformers"}  # formats that hubs know a library of


@dataclass(frozen=True)
class Exported:
    """What the card is about. stage: whose encoder; method: of pretraining, empty where weights were taken as they are;
    formats: the files by format; license: as hubs name it, empty where nobody said; figures: of `evaluate`, where they
    are of the classifier that holds this very encoder; dataset: name and the manifest's sha256."""

    name: str
    stage: str
    spec: EncoderSpec
    method: str
    formats: Mapping[str, Path]
    license: str = ""
    figures: Mapping[str, Any] | None = None
    dataset: tuple[str, str] = ("", "")


def check_place(folder: Path) -> None:
    """Raise WinnowError where the card would write over a file that is none of ours."""
    path = folder / FILE
    if path.exists() and not (path.is_file() and MARK in path.read_text(encoding="utf-8", errors="replace")):
        raise WinnowError(f"{path} is there already and no card of Winnow's: name another folder.")


def hub_card(about: Exported) -> str:
    """The card as Markdown with its YAML."""
    facts = yaml.safe_dump(_metadata(about), sort_keys=False, allow_unicode=True)
    return f"---\n{facts}---\n{MARK}\n\n" + "\n".join(_lines(about)) + "\n"


def _metadata(about: Exported) -> dict[str, Any]:
    kind = about.spec.inputs.kind
    library = next((LIBRARIES[name] for name in about.formats if name in LIBRARIES), "")
    found: dict[str, Any] = {
        "license": about.license,
        "library_name": library,
        "pipeline_tag": kind.hub_tasks[0],
        "tags": ["winnow", about.spec.name, *([about.method] if about.method else [])],
    }
    if about.figures is not None and kind.hub_tasks[1]:
        found |= {"metrics": ["accuracy"], "model-index": [{"name": about.name, "results": [_result(about)]}]}
    return {name: value for name, value in found.items() if value}


def _result(about: Exported) -> dict[str, Any]:
    assert about.figures is not None
    name, digest = about.dataset
    data = {"type": name, "name": name, "split": "test", "revision": digest}
    metric = {"type": "accuracy", "value": float(about.figures["accuracy"]), "name": "test accuracy"}
    return {
        "task": {"type": about.spec.inputs.kind.hub_tasks[1]},
        "dataset": {key: value for key, value in data.items() if value},
        "metrics": [metric],
    }


def _lines(about: Exported) -> Sequence[str]:
    spec, kind = about.spec, about.spec.inputs.kind
    how = f"pretrained by {about.method}" if about.method else "with weights that others trained"
    of = "the classifier that ships" if about.stage == "finetune" else "pretraining"
    lines = [
        f"# {about.name}",
        "",
        f"An encoder of {kind.noun[1]}: `{spec.name}`, {how}, as {of} left it. It gives vectors of {spec.dim} numbers.",
        f"A {kind.noun[0]} is given as {kind.records_are}; the `.json` beside each file says what it takes.",
    ]
    if spec.origin is not None:
        lines += ["", f"It began from {spec.origin.said}."]
    if about.figures is not None:
        low, high = (about.figures.get(f"accuracy_{end}") for end in ("low", "high"))
        interval = f" ({low:.4f} to {high:.4f})" if low is not None and high is not None else ""
        lines += [
            "",
            f"With its classifier it has {about.figures['accuracy']:.4f}{interval} of "
            f"{about.figures.get('test_samples', '?')} test {kind.noun[1]} right, learned from "
            f"{about.figures.get('labels_used', '?')} labels; the same network on labels alone "
            f"{about.figures.get('control_accuracy', float('nan')):.4f}.",
        ]
    if about.dataset[1]:
        lines += ["", f"Data set: {about.dataset[0]}, manifest sha256 {about.dataset[1]}."]
    lines += ["", "| file | format |", "|---|---|"]
    return [*lines, *(f"| `{path.as_posix()}` | {name} |" for name, path in about.formats.items())]
