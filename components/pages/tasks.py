"""Questions in the form of a labeling tool, Label Studio's: a task for each, and the configuration that shows them."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy.typing as npt

from components.modalities import Modality

CHOICE = "label"  # what the tool calls the answer


def labeling_task(
    modality: Modality, record: npt.NDArray[Any], sample: tuple[str, str, str], guess: str, confidence: float
) -> dict[str, Any]:
    """One task, with the model's guess as a prediction where there is one. sample: its id, sha256 and path.

    `data` holds the sample's `id` (again as `sample_id`, since the tool's JSON-MIN has its own `id`), `sha256`, what
    the kind of data says of it, and `html`, which shows it.
    """
    identity, sha256, path = sample
    shown = modality.task(path, record)
    html = modality.show(record, caption="the sample that is asked about")
    choice = {"from_name": CHOICE, "to_name": next(iter(shown)), "type": "choices", "value": {"choices": [guess]}}
    prediction = {"model_version": "winnow", "score": round(confidence, 6), "result": [choice]}
    data = {"id": identity, "sample_id": identity, "sha256": sha256, **shown, "html": html}
    return {"data": data, "predictions": [prediction] if guess else []}


def labeling_config(modality: Modality, record: npt.NDArray[Any], classes: list[str]) -> str:
    """The labeling configuration of a project of such tasks, XML."""
    name = escape(next(iter(modality.task("", record))))
    choices = [f"    <Choice value={quoteattr(one)}/>" for one in classes]
    lines = [
        "<View>",
        f'  <HyperText name="{name}" value="$html"/>',
        f'  <Choices name="{CHOICE}" toName="{name}" choice="single" showInline="true">',
        *choices,
        "  </Choices>",
        "</View>",
    ]
    return "\n".join(lines) + "\n"
