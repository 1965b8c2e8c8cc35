"""A kind of data and an encoder that nothing but two files know go from a folder to answers; others are refused."""

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import components.modalities
import components.models.encoders
from components.core import registry
from components.core.config import read_params
from components.core.errors import WinnowError
from components.models.classifier import load_classifier
from components.models.serving import ServedModel
from components.release.package import package
from pipelines import predict
from pipelines.inline import LABELED, UNLABELED, run_stages
from pipelines.settings_together import check_together

ROOT = Path(__file__).resolve().parents[2]
MADE_UP = Path(__file__).parent / "made_up"
CLASSES = ("high", "low", "middle")


@pytest.fixture(scope="module", autouse=True)
def _known() -> Iterator[None]:
    """As if the files lay in the project."""
    places = [components.modalities.__path__, components.models.encoders.__path__]
    for place, folder in zip(places, ("modalities", "encoders"), strict=True):
        place.append(str(MADE_UP / folder))
    yield
    for place in places:
        place.pop()


def _params(**changes: Any) -> dict[str, Any]:
    params = copy.deepcopy(read_params(ROOT / "params.yaml"))
    params["ingest"] |= {"modality": {"name": "number_rows"}}
    params["augment"]["policies"] = {name: {"noise": 0.2} for name in ("weak", "view", "strong")}
    params["pretrain"] |= {"encoder": {"name": "number_net"}, "epochs": 3, "batch_size": 32, "workers": 0}
    params["label"] |= {"budget": 12}
    params["finetune"] |= {"epochs": 2, "guard_epochs": 0, "batch_size": 16}
    for name, value in changes.items():
        block, _, setting = name.partition("__")
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
    params = _params(ingest__source=str(home / "source"))
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


@pytest.mark.parametrize(
    ("block", "setting", "name"),
    [
        ("pretrain", "method", "rotation"),
        ("pretrain", "encoder", "small_resnet"),
        ("pseudo_label", "method", "mixmatch"),
        ("finetune", "method", "prompts"),
    ],
)
def test_what_is_for_another_kind_is_refused_and_what_is_not_is_named(block: str, setting: str, name: str) -> None:
    changes = {"ingest__source": "rows", f"{block}__{setting}": {"name": name}}
    fitting = {"rotation": "barlow_twins, byol", "small_resnet": "number_net", "mixmatch": "fixmatch, flexmatch"}
    said = rf"^{block}\.{setting} '{name}' is for pixels.*, and ingest\.modality gives numbers: choose from "
    with pytest.raises(WinnowError, match=said + fitting.get(name, "adapters, full")):
        check_together(_params(**changes))


def test_a_source_of_pictures_is_refused() -> None:
    with pytest.raises(WinnowError, match=r"ingest\.source 'digits' is for pixels.*: choose from folder"):
        check_together(_params())


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
    assert name in registry.names(family)
