"""`winnow diff A B`: a page on what the second of two versions wins over the first, and what it loses."""

from pathlib import Path

from components.core import tracking
from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.model_versions import find
from components.core.stage_settings import stage_settings
from components.pages.difference import Summary, render
from components.release.difference import difference
from components.release.gate import TestRows
from pipelines.settings import model_name

RESULTS = Path("data/diff")
ROWS = TestRows(
    Path("data/evaluate/predictions.parquet"), Path("data/ingest/manifest.parquet"), Path("data/ingest/samples.npy")
)


def show_difference(first: str, second: str) -> None:
    """Write the page, put it among the artifacts of the second version's run, and print what it comes to."""
    name, settings = model_name(), stage_settings("register", read_params())
    one, other = find(name, first), find(name, second)
    if one.number == other.number:
        raise WinnowError(f"version {one.number} of {name} beside itself: name two versions.")
    for path in (ROWS.predictions, ROWS.manifest, ROWS.samples):
        if not path.is_file():
            raise WinnowError(f"{path} is missing: run `winnow repro` first, which makes the test rows.")
    summary, pairs, classifier = difference(one, other, ROWS, settings.gate, seed=settings.seed)
    page = RESULTS / f"{one.number}-{other.number}.html"
    write_text(page, render(summary, pairs, classifier.spec.encoder.inputs.kind))
    store = tracking.opened()
    with tracking.answering():
        if other.run_id:
            store.log_artifact(other.run_id, str(page), "diff")
        store.set_model_version_tag(
            name, str(other.number), f"diff.{one.number}", f"diff/{page.name} of run {other.run_id}"
        )
    print(_lines(summary, page))


def _lines(summary: Summary, page: Path) -> str:
    value, low, high = summary.difference
    rows = [
        ("won", f"{summary.won} of {summary.samples}"),
        ("lost", f"{summary.lost}"),
        ("both right", f"{summary.both_right}"),
        ("both wrong", f"{summary.both_wrong}"),
        ("difference", f"{value:+.4f}, interval {low:+.4f} to {high:+.4f}"),
        *([("gate", summary.gate)] if summary.gate else []),
        ("page", str(page)),
    ]
    title = f"{summary.second} beside {summary.first}"
    return "\n".join([title, *(f"  {name:<12}{text}" for name, text in rows)])
