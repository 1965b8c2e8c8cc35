"""`winnow photos`: one command from a folder to settings that suit photos, all checked before any is written."""

from pathlib import Path

import pytest
import yaml

from components.core.errors import WinnowError
from components.core.files import sha256
from pipelines import photos, weights
from pipelines.inline import PROJECT
from pipelines.photos import choose_for_photos


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text((PROJECT / "params.yaml").read_text())
    for label in ("cat", "dog"):
        Path("mine", label).mkdir(parents=True)
        for number in range(40):
            Path("mine", label, f"{number}.jpg").write_bytes(b"x")


def _settings() -> dict[str, dict[str, object]]:
    settings: dict[str, dict[str, object]] = yaml.safe_load(Path("params.yaml").read_text())
    return settings


def test_with_weights_the_network_stays_and_a_head_is_solved_on_pictures_of_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = weights.PACKAGED["efficientnet_lite0"]
    path = Path("data/weights") / weights.packaged_file(known)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"numbers")
    facts = known.origin.model_copy(update={"sha256": sha256(path)})
    path.with_suffix(".json").write_text(facts.model_dump_json())
    choose_for_photos("mine", budget=30, image_size=None)
    settings = _settings()
    assert settings["ingest"]["source"] == "mine"
    assert settings["ingest"]["modality"] == {"name": "image", "image_size": 224, "channels": 3}
    assert settings["pretrain"] == {
        "method": {"name": "simclr"},
        "encoder": known.encoder,
        "weights": {"from": "file", "path": str(path)},
        "epochs": 0,
    }
    assert settings["label"]["budget"] == 30
    assert not {"epochs", "batch_size", "learning_rate", "guard_epochs"} & settings["finetune"].keys()
    assert settings["augment"]["policies"] == photos.POLICIES


def test_weights_that_want_bilinear_pictures_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    known = weights.PACKAGED["efficientnet_lite0"]
    path = Path("data/weights") / weights.packaged_file(known)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"numbers")
    facts = known.origin.model_copy(update={"sha256": sha256(path), "interpolation": "bilinear"})
    path.with_suffix(".json").write_text(facts.model_dump_json())
    choose_for_photos("mine", budget=30, image_size=None)
    assert _settings()["ingest"]["modality"]["interpolation"] == "bilinear"  # type: ignore[index]


def test_without_weights_steps_decide_the_epochs_and_the_line_that_brings_some_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    choose_for_photos("mine", budget=30, image_size=48)
    settings = _settings()
    assert settings["ingest"]["modality"]["image_size"] == 48  # type: ignore[index]
    assert (settings["pretrain"]["batch_size"], settings["pretrain"]["epochs"]) == (32, 800)
    assert "`make photos`, then `winnow weights add`" in capsys.readouterr().err


@pytest.mark.parametrize(("budget", "classes", "smoothed"), [(6, 2, True), (7, 2, False), (50, 1, True), (50, 0, True)])
def test_first_questions_look_for_every_class_where_there_are_few_for_each(
    budget: int, classes: int, smoothed: bool
) -> None:
    assert ("neighbors" in photos.first_for(budget, classes)) == smoothed


def test_classes_are_the_folders_with_pictures_whatever_their_split() -> None:
    for place in ("train/cat", "train/dog", "train/dog/unlabeled", "test/cat", "train/empty"):
        Path("split", place).mkdir(parents=True)
    for place in ("train/cat", "train/dog", "train/dog/unlabeled", "test/cat"):
        Path("split", place, "1.jpg").write_bytes(b"x")
    choose_for_photos("split", budget=7, image_size=48)
    assert _settings()["label"]["first"] == {"name": "k_medoids"}


def test_a_folder_without_pictures_changes_nothing() -> None:
    before = Path("params.yaml").read_text()
    Path("none/a").mkdir(parents=True)
    with pytest.raises(WinnowError, match="none"):
        choose_for_photos("none", budget=30, image_size=None)
    assert Path("params.yaml").read_text() == before
