"""A kind of data and an encoder that nothing but two files know go from a folder to answers."""

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.core import plugins
from components.core.config import read_params
from components.models.classifier import load_classifier
from components.models.serving import ServedModel
from components.release.package import package
from pipelines import predict
from pipelines.inline import LABELED, UNLABELED, run_stages
from tests.contracts.made_up import SETTINGS, known

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("high", "low", "middle")


@pytest.fixture(scope="module", autouse=True)
def _known() -> Iterator[None]:
    with known():
        yield


def _params(**changes: Any) -> dict[str, Any]:
    params = copy.deepcopy(read_params(ROOT / "params.yaml"))
    small = {"pretrain.epochs": 3, "pretrain.batch_size": 32, "pretrain.workers": 0, "label.budget": 12}
    small |= {"finetune.epochs": 2, "finetune.guard_epochs": 0, "finetune.batch_size": 16}
    for name, value in {**SETTINGS, **small, **changes}.items():
        block, _, setting = name.partition(".")
        params[block][setting] = value
    return {**params, "threads": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stages up to the questions, run on three classes of rows."""
    home, draw = tmp_path_factory.mktemp("rows"), np.random.default_rng(0)
    for number in range(180):
        center = np.eye(3)[number % 3].repeat(3)[:8] * 4
        path = home / "source" / CLASSES[number % 3] / f"{number}.row"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(f"{value:.4f}" for value in center + draw.normal(size=8)))
    (home / "source/low/short.row").write_text("1 2 3")
    (home / "source/low/notes.txt").write_text("beside the rows")
    params = _params(**{"ingest.source": str(home / "source")})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        run_stages([*UNLABELED, *LABELED, "select"], home, params)
    return home


def test_it_is_read_learned_and_judged_as_any_other(project: Path) -> None:
    data = project / "data"
    figures = pd.read_json(data / "evaluate/metrics.json", typ="series")
    assert figures["accuracy"] > 0.9
    left_out = pd.read_parquet(data / "ingest/quarantine.parquet").set_index("path")["reason"]
    assert left_out["low/short.row"] == "3 numbers where 8 belong."
    assert "beside" in left_out["low/notes.txt"]
    assert "numbers" in pd.read_parquet(data / "ingest/manifest.parquet")


def test_files_and_clients_get_the_answers_of_the_model(project: Path, tmp_path: Path) -> None:
    weights = project / "data/finetune/model.safetensors"
    classifier, odd = load_classifier(weights), dict[str, list[Path]]()
    files = sorted((project / "source/high").glob("*.row"))[:3]
    guesses = list(predict._guesses(classifier, files, odd))
    rows = np.stack([np.array(file.read_text().split(), np.float32) for file in files])
    package(classifier, weights, rows, tmp_path / "version")
    assert '"shape": [-1, 8]' in (tmp_path / "version/MLmodel").read_text()
    served = ServedModel(classifier).predict(rows.astype(np.float64))
    np.testing.assert_allclose(served, [guess.probabilities for guess in guesses], atol=1e-6)
    assert (served.argmax(1) == CLASSES.index("high")).all()


def test_nothing_else_knows_of_it() -> None:
    command = [
        "git",
        "grep",
        "-lE",
        "number_(rows|net)|modality *==|modality\\.name *==",
        "--",
        "components",
        "pipelines",
    ]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout == ""


@pytest.mark.parametrize(("family", "name"), [("modality", "number_rows"), ("encoder", "number_net")])
def test_the_two_files_are_found(family: str, name: str) -> None:
    assert name in plugins.names(family)
