"""finetune's second control: from scratch where pretraining was ours, a probe where given weights are adapted."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_finetune import LABELED, Project

from components.models.classifier import load_classifier
from components.models.encoder_file import load_encoder, save_encoder
from components.models.given_weights import Origin
from components.training import from_scratch


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Without pseudo-labels, and with a shorter training from scratch."""
    monkeypatch.setattr(from_scratch, "STEPS", 60)
    made = Project(tmp_path)
    made.reject_all()
    return made


def _opinion(project: Project, out: str = "out") -> dict[str, object]:
    said: dict[str, object] = json.loads((project.home / out / "second_control.json").read_text())
    return said


def _give_weights(project: Project) -> None:
    path = project.home / "encoder.safetensors"
    encoder, spec = load_encoder(path)
    save_encoder(path, encoder, spec.model_copy(update={"origin": Origin(name="others")}))


def test_where_pretraining_is_worse_the_network_from_scratch_ships_and_it_is_said(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).normal(size=(200, 32)).astype(np.float32)
    np.save(project.home / "embeddings.npy", noise)  # what a failed pretraining gives
    project.run(second_control="auto")
    opinion = _opinion(project)
    assert (opinion["kind"], opinion["ships"], opinion["held_out"]) == ("scratch", True, LABELED)
    assert project.guard()["shipped"] == "scratch"
    assert project.guard()["why"] == opinion["why"]
    assert str(opinion["why"]) in capsys.readouterr().err
    spec = load_classifier(project.home / "out/model.safetensors").spec
    assert (spec.method, spec.embedded) == ("full", "")
    assert spec.sets is not None
    assert spec.sets.labels == LABELED
    assert project.accuracy("model.safetensors") > 0.5  # chance: .25


def test_where_it_is_not_what_ships_is_the_same_to_the_byte(project: Project) -> None:
    project.run("off")
    project.run("auto", second_control="auto")
    opinion = _opinion(project, "auto")
    assert (opinion["kind"], opinion["ships"]) == ("scratch", False)
    assert int(str(opinion["first_right"])) >= int(str(opinion["second_right"])) > 0
    assert _opinion(project, "off")["why"] == ""
    for name in ("model.safetensors", "model.json", "control.safetensors", "guard.json", "history.csv"):
        assert (project.home / "auto" / name).read_bytes() == (project.home / "off" / name).read_bytes(), name


def test_an_adaptation_that_ruins_given_weights_loses_to_their_probe(project: Project) -> None:
    _give_weights(project)
    ruinous = {"method": {"name": "full"}, "learning_rate": 3.0, "epochs": 3, "guard_epochs": 3}
    project.run(second_control="auto", **ruinous)
    opinion = _opinion(project)
    assert (opinion["kind"], opinion["ships"]) == ("probe", True)
    assert project.guard()["shipped"] == "probe"
    spec = load_classifier(project.home / "out/model.safetensors").spec
    assert spec.method == "linear_probe"
    assert spec.embedded  # its encoder is the one that made the vectors
    assert project.accuracy("model.safetensors") > project.accuracy("control.safetensors")


def test_given_weights_under_a_solved_head_need_no_second_control(project: Project) -> None:
    _give_weights(project)
    project.run(second_control="auto")
    assert _opinion(project)["why"] == ""


@pytest.mark.parametrize(
    ("folds", "params", "why"),
    [
        (0, {}, "no label could be held out"),
        (2, {"method": {"name": "full"}, "guard_epochs": 0}, "finetune.guard_epochs is 0"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path: Path, folds: int, params: dict[str, object], why: str) -> None:
    project = Project(tmp_path, folds=folds)
    project.run(second_control="auto", **params)
    assert _opinion(project)["kind"] == ""
    assert why in str(_opinion(project)["why"])


def test_what_would_take_long_is_trained_where_it_is_asked_for_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.training.second_opinion.CHEAP", 1)
    project.run("auto", second_control="auto")
    assert "finetune.second_control: on" in str(_opinion(project, "auto")["why"])
    project.run("on", second_control="on")
    assert _opinion(project, "on")["kind"] == "scratch"
