"""Stage `register`: one version per distinct model, a gate that keeps what is better, and a model that serves."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from registered_world import CLASSES

from components.core import tracking
from components.core.config import parse
from components.core.errors import WinnowError
from components.core.model_versions import find, promote, rollback, versions
from components.core.version_files import fetch
from components.models.classifier import load_classifier
from components.release.registered import prove
from components.stages import register

Project = Callable[..., dict[str, Any]]


def test_the_first_model_becomes_champion_and_once_more_changes_nothing(project: Project) -> None:
    first = project()
    assert first["version"] == 1
    assert first["aliases"] == ["challenger", "champion"]
    assert first["gate"]["passed"]
    assert project() == first
    assert [item.number for item in versions("winnow")] == [1]


def test_a_surely_better_model_takes_over_and_rollback_brings_the_old_one_back(project: Project) -> None:
    project(0)
    second = project(1, minimum_gain=-1.0)  # any difference is enough: the two are untrained
    assert second["aliases"] == ["challenger", "champion"]
    assert second["gate"]["against"] == "version 1"
    assert _champion() == 2
    assert rollback("winnow", prove=prove).number == 1
    assert _champion() == 1
    again = project(1, minimum_gain=-1.0)
    assert "rolled back by hand" in again["gate"]["why"]
    assert _champion() == 1
    assert promote("winnow", 2, prove=prove).aliases == ("challenger", "champion")
    assert promote("winnow", 2, prove=prove).number == 2  # once more does nothing
    assert json.loads(tracking.opened().get_registered_model("winnow").tags["champion_history"]) == [1, 2]


def test_a_model_that_may_be_no_better_stays_challenger(project: Project) -> None:
    project(0)
    second = project(1, minimum_gain=0.9)
    assert second["aliases"] == ["challenger"]
    assert not second["gate"]["passed"]
    assert second["gate"]["low"] <= second["gate"]["difference"] <= second["gate"]["high"]
    assert _champion() == 1


def test_a_first_model_surely_worse_than_labels_alone_does_not_serve(project: Project) -> None:
    first = project(right=0.0)
    assert first["aliases"] == ["challenger"]
    assert "worse than the label-only control" in first["gate"]["why"]


def test_models_of_other_classes_are_not_compared(project: Project) -> None:
    project(0)
    second = project(1, classes=["cat", "cow", "dog"], minimum_gain=-1.0)
    assert "knows other classes (cow differ)" in second["gate"]["why"]
    assert _champion() == 1


def test_the_version_carries_its_evidence_and_the_run_its_stages(project: Project) -> None:
    made = project()
    version = find("winnow", "champion")
    assert version.sha256 == made["model_sha256"]
    assert json.loads(version.tags["classes"]) == CLASSES
    assert {"accuracy", "labels_used", "dataset_digest", "gate", "promoted"} <= set(version.tags)
    store = tracking.opened()
    card = store.get_model_version("winnow", "1").description
    assert "| labels used | 4, validation included |" in card
    assert "Takes `(N, 8, 8, 1)` uint8 pictures, gives" in card
    run = store.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert "accuracy" not in run.data.metrics  # no run of evaluate is known that made it


@pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")  # MLflow of itself, when imported
def test_the_served_model_takes_pictures_as_clients_have_them_in_any_number(project: Project) -> None:
    import mlflow.pyfunc

    project()
    pictures = np.random.default_rng(1).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    served = mlflow.pyfunc.load_model("models:/winnow@champion", model_config={"device": "cpu"}).predict(pictures)
    weights = fetch(find("winnow", "champion"))
    with torch.inference_mode():
        expected = load_classifier(weights)(torch.from_numpy(pictures).permute(0, 3, 1, 2)).numpy()
    assert served.shape == (5, 2)
    np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(served.sum(axis=1), 1, rtol=1e-5)


def test_two_promotions_at_once_leave_one_champion_and_a_whole_history(project: Project) -> None:
    project(0)
    project(1, minimum_gain=0.9)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: promote("winnow", number, prove=prove), [1, 2, 1, 2]))
    history = json.loads(tracking.opened().get_registered_model("winnow").tags["champion_history"])
    assert history[-1] == _champion()
    assert [item.number for item in versions("winnow") if "champion" in item.aliases] == [_champion()]


def test_an_unknown_version_is_answered_with_what_there_is(project: Project) -> None:
    with pytest.raises(WinnowError, match="nothing is registered yet"):
        find("winnow", "champion")
    with pytest.raises(WinnowError, match="no earlier champion"):
        rollback("winnow", prove=prove)
    project()
    with pytest.raises(WinnowError, match=r"has no version 7: it has 1 \(challenger, champion\)"):
        promote("winnow", 7, prove=prove)


def test_a_gate_setting_of_another_name_is_refused() -> None:
    with pytest.raises(WinnowError, match="did you mean 'minimum_gain'"):
        parse(register.Params, {"gate": {"minimum_gains": 0.1}}, where="register")


def _champion() -> int:
    return find("winnow", "champion").number
