"""What a flow run leaves on its Prefect page: how each stage went, and the summary with its pictures."""

import base64
import html
import io
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from components.core.secrets import without_secrets
from pipelines.plan import Step
from pipelines.summary import rows

PICTURES = {
    "How the vectors lie": Path("data/embed/map.png"),
    "What the model sees": Path("data/augment/preview.png"),
    "What pretraining learned": Path("data/report/learned.png"),
}
PIXELS = 640  # of a picture's longer side on the page


def publish_summary(steps: list[Step], seconds: float) -> None:
    """The artifacts `summary` and `stages` of the flow run that this is called in."""
    create_table_artifact(
        table=[{"stage": step.stage, "why it ran": _why(step)} for step in steps],
        key="stages",
        description="Every stage and why it ran",
    )
    create_markdown_artifact(markdown=_page(seconds), key="summary", description="What the run came to")


def _why(step: Step) -> str:
    return without_secrets(", ".join(step.why[:3])) or "nothing changed"


def _page(seconds: float) -> str:
    lines = [
        f"- **{name}**: {html.escape(without_secrets(text))}" for name, text in rows(seconds)
    ]  # a table would cut long sentences
    for title, path in PICTURES.items():
        if path.is_file():
            lines += ["", f"### {title}", "", f"![{title}]({_small(path)})"]
    return "\n".join(lines)


def _small(path: Path) -> str:
    """The picture as a data URI, small enough for the page's store."""
    from PIL import Image

    with Image.open(path) as picture:
        picture.thumbnail((PIXELS, PIXELS))
        content = io.BytesIO()
        picture.convert("RGB").save(content, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
