"""Questions in the form of a labeling tool, Label Studio's: a task for each, and the configuration that shows them."""

import re
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy.typing as npt

from components.modalities import Modality

CHOICE = "label"  # what the tool calls the answer
# The tool takes `src="data:..."` out of the HTML that it shows: what has one goes by itself, under a tag of the tool's.
TAGS = {"img": ("Image", "picture"), "audio": ("Audio", "sound")}
_INSIDE = re.compile(r"""<(img|audio)\b[^>]*\ssrc="(data:[^"]+)\"""")


def labeling_task(
    modality: Modality, record: npt.NDArray[Any], sample: tuple[str, str, str], guess: str, confidence: float
) -> dict[str, Any]:
    """One task, with the model's guess as a prediction where there is one. sample: its id, sha256 and path.

    `data` holds the sample's `id` (again as `sample_id`, since the tool's JSON-MIN has its own `id`), `sha256`, what
    the kind of data says of it, and what shows it: `picture` or `sound` (a data URI), else `html`.
    """
    identity, sha256, path = sample
    shown = modality.task(path, record)
    _, name, content = _visible(modality, record)
    choice = {"from_name": CHOICE, "to_name": next(iter(shown)), "type": "choices", "value": {"choices": [guess]}}
    prediction = {"model_version": "winnow", "score": round(confidence, 6), "result": [choice]}
    data = {"id": identity, "sample_id": identity, "sha256": sha256, **shown, name: content}
    return {"data": data, "predictions": [prediction] if guess else []}


def labeling_config(modality: Modality, record: npt.NDArray[Any], classes: list[str]) -> str:
    """The labeling configuration of a project of such tasks, XML. record: any of the samples."""
    name = escape(next(iter(modality.task("", record))))
    tag, shown, _ = _visible(modality, record)
    choices = [f"    <Choice value={quoteattr(one)}/>" for one in classes]
    lines = [
        "<View>",
        f'  <{tag} name="{name}" value="${shown}"/>',
        f'  <Choices name="{CHOICE}" toName="{name}" choice="single" showInline="true">',
        *choices,
        "  </Choices>",
        "</View>",
    ]
    return "\n".join(lines) + "\n"


def _visible(modality: Modality, record: npt.NDArray[Any]) -> tuple[str, str, str]:
    """The tool's tag, the name in `data`, and the content by which a sample is seen or heard."""
    html = modality.show(record, caption="the sample that is asked about")
    found = _INSIDE.search(html)
    return (*TAGS[found[1]], found[2]) if found else ("HyperText", "html", html)
