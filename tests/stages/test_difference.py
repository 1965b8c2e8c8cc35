"""`winnow diff`: what was won and lost on the same test samples adds up to the gate's figures; others are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from registered_world import CLASSES, register_model, write_model, write_predictions

from components.core import tracking
from components.core.errors import WinnowError
from components.core.model_versions import find
from components.datasets.sample_store import open_samples
from components.models.classifier import load_classifier, save_classifier
from components.pages.difference import BOTH_WRONG, LOST, WON
from components.release.difference import difference
from components.release.gate import Gate
from components.training.inference import predict
from pipelines.answering.diff import ROWS, show_difference

Project = Callable[..., dict[str, Any]]


@pytest.fixture
def two(project: Project) -> dict[str, Any]:
    """Two registered versions whose evaluations hold what they say; the second's `version.json`."""
    project(0)
    for seed in (1, 2):
        write_model(seed, CLASSES)
        _evaluate()
        made = register_model({"minimum_gain": -1.0})
    return made


def _evaluate() -> None:
    """What the model says, its head moved so that it says either class to half of the test rows."""
    write_predictions(1.0, CLASSES)
    path, rows = Path("data/finetune/model.safetensors"), np.arange(20, 40)
    model, samples = load_classifier(path), open_samples(ROWS.samples)
    odds = np.log(predict(model, samples, rows))
    with torch.no_grad():
        model.head.bias[0] -= float(np.median(odds[:, 0] - odds[:, 1]))
    save_classifier(path, model)
    said = predict(model, samples, rows).argmax(axis=1)
    table = pq.read_table(ROWS.predictions)
    column = pa.array([CLASSES[k] for k in said])
    pq.write_table(table.set_column(table.column_names.index("predicted"), "predicted", column), ROWS.predictions)


def test_won_and_lost_add_up_to_the_gates_interval(two: dict[str, Any]) -> None:
    gate = two["gate"]
    assert gate["against"] == "version 2"
    summary, pairs, _ = difference(find("winnow", 2), find("winnow", 3), ROWS, Gate(), seed=0)
    assert summary.won + summary.lost + summary.both_wrong + summary.both_right == summary.samples == 20
    assert summary.difference[0] == pytest.approx((summary.won - summary.lost) / 20)
    assert summary.difference == pytest.approx((gate["difference"], gate["low"], gate["high"]))
    assert (summary.gate, summary.agrees) == (gate["why"], True)
    counts = [sum(pair.how == how for pair in pairs) for how in (WON, LOST, BOTH_WRONG)]
    assert counts == [summary.won, summary.lost, summary.both_wrong]
    assert summary.won + summary.lost > 0
    assert all((pair.second.name == pair.actual) == (pair.how == WON) for pair in pairs)
    other, _, _ = difference(find("winnow", 3), find("winnow", 2), ROWS, Gate(), seed=0)
    assert (other.won, other.lost, other.gate) == (summary.lost, summary.won, "")


def test_the_page_holds_every_sample_and_stands_with_the_version(
    two: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    show_difference("2", "challenger")
    said, page = capsys.readouterr().out, Path("data/diff/2-3.html").read_text()
    assert "version 3 beside version 2" in said
    assert page.count('<div class="card">') == page.count("data:image/png;base64,") - 1  # but for the chart
    assert "http" not in page
    version = find("winnow", 3)
    assert version.tags["diff.2"] == f"diff/2-3.html of run {version.run_id}"
    kept = tracking.client().list_artifacts(version.run_id, "diff")
    assert [item.path for item in kept] == ["diff/2-3.html"]


def test_other_test_samples_and_one_version_alone_are_refused(two: dict[str, Any]) -> None:
    with pytest.raises(WinnowError, match="beside itself: name two versions"):
        show_difference("3", "challenger")
    table = pq.read_table(ROWS.predictions)
    pq.write_table(table.slice(1), ROWS.predictions)
    with pytest.raises(WinnowError, match="version 2 was measured on other test samples or classes"):
        show_difference("2", "3")
    ROWS.predictions.unlink()
    with pytest.raises(WinnowError, match=r"predictions\.parquet is missing: run `winnow repro` first"):
        show_difference("2", "3")
