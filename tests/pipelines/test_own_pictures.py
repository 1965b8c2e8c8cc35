"""`--source` and what goes with it: params.yaml says the new value, and nothing else in it changes."""

from pathlib import Path

import pytest
import yaml

from components.core.errors import WinnowError
from components.core.lock import locked
from pipelines.own_pictures import LOCK, keep
from pipelines.params_file import with_setting, without_setting

PARAMS = """# mine
seed: 0

ingest:
  source: digits # digits | a folder
  modality: {name: image, image_size: 32} # of pixels
label: {budget: , first: {name: random}} # in braces
"""
NAMES = [
    "pictures",
    "a # b",
    "2026-05-01",
    "010",
    "1:30",
    "true",
    "null",
    "it's",
    "{a, b}",
    "*a",
    "- x",
    " é ",
    "./digits",
]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("params.yaml").write_text(PARAMS)


def _keep(
    source: str | None = None, image_size: int | None = None, channels: int | None = None, budget: int | None = None
) -> None:
    keep(source=source, image_size=image_size, channels=channels, budget=budget)


def _folder(name: str) -> str:
    for label in ("cat", "dog"):
        Path(name, label).mkdir(parents=True)
        Path(name, label, "0.png").touch()
    return name


@pytest.mark.parametrize("name", NAMES)
def test_any_folder_name_is_read_back_as_it_was_given_and_no_other_byte_changes(name: str) -> None:
    _keep(_folder(name))
    text = Path("params.yaml").read_text()
    assert yaml.safe_load(text)["ingest"]["source"] == name
    before, after = PARAMS.splitlines(), text.splitlines()
    assert [line for line in after if line not in before] == [after[4]]
    assert after[4].endswith(" # digits | a folder")


def test_sizes_channels_and_budget_are_kept_the_same_way_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    _keep(_folder("pictures"), image_size=64, channels=3, budget=100)
    settings = yaml.safe_load(Path("params.yaml").read_text())
    assert settings["ingest"] == {
        "source": "pictures",
        "modality": {"name": "image", "image_size": 64, "channels": 3},
    }
    assert settings["label"] == {"budget": 100, "first": {"name": "random"}}
    said = capsys.readouterr().err
    assert "params.yaml: ingest.source is now pictures (digits before)\n" in said
    assert "params.yaml: ingest.modality is now {name: image, image_size: 64, channels: 3} ({name: image, " in said


def test_the_home_folder_is_written_out_and_small_gray_pictures_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _folder("pictures")
    _keep("~/pictures")
    assert yaml.safe_load(Path("params.yaml").read_text())["ingest"]["source"] == f"{tmp_path}/pictures"
    assert "`winnow photos FOLDER` chooses what suits photos" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"source": "gone"}, "check the path"),
        ({"source": "params.yaml"}, "is a file"),
        ({"source": "."}, "holds this project itself"),
        ({"source": ""}, "plain name"),
        ({"source": "a\nb"}, "plain name"),
        ({"source": "one"}, "at least two"),
        ({"source": "digits"}, r"write \./digits"),
        ({"image_size": 3}, "image_size is 3"),
        ({"channels": 2}, "must be 1 or 3"),
        ({"source": "pictures", "budget": -1}, "budget is -1"),
        ({"budget": 10**20}, "too large"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(given: dict[str, str | int], said: str) -> None:
    _folder("pictures"), _folder("digits"), _folder("one"), Path("one/dog/0.png").unlink(), Path("one/dog").rmdir()
    with pytest.raises(WinnowError, match=said):
        _keep(**given)  # type: ignore[arg-type]
    assert Path("params.yaml").read_text() == PARAMS


@pytest.mark.parametrize(
    ("source", "gone"),
    [
        ("pictures", {"root", "download"}),
        ("torchvision:MNIST", {"classes"}),
        ("digits", {"root", "classes"}),
    ],
)
def test_what_another_source_has_no_use_for_is_taken_out_and_said(
    source: str, gone: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _folder("pictures")
    own = "  root: data/raw # where files lie\n  download: false\n  classes:\n  - a\n  - b\n"
    Path("params.yaml").write_text(PARAMS.replace("  modality", f"{own}  modality"))
    _keep(source)
    left = yaml.safe_load(Path("params.yaml").read_text())
    assert set(left["ingest"]).isdisjoint(gone)
    assert {"source", "modality"} <= set(left["ingest"])
    assert Path("params.yaml").read_text().startswith("# mine\nseed: 0\n\ningest:\n  source: ")
    said = capsys.readouterr().err
    assert all(f"params.yaml: ingest.{name} is taken out: {source} has no use for it\n" in said for name in gone)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a:\n  x: 1 # x\n  # of y\n  y: 2\n", "a:\n  # of y\n  y: 2\n"),
        ("a:\n  y: 2\n  x: [1,\n    2]", "a:\n  y: 2\n"),
        ("a:\n  x:\n  - 1\n  # of y\n  y: 2\n", "a:\n  # of y\n  y: 2\n"),
        ("a: {x: 1, y: 2} # all\n", "a: {y: 2} # all\n"),
        ("a: {y: 2, x: 1, z: 3}\n", "a: {y: 2, z: 3}\n"),
        ("a: {y: 2, x: {b: 1}}\n", "a: {y: 2}\n"),
        ("a: {x: 1}\n", "a: {}\n"),
    ],
)
def test_a_setting_goes_with_its_own_lines_alone(text: str, changed: str) -> None:
    assert without_setting(text, "a", "x") == changed


def test_a_setting_that_cannot_be_cut_out_is_left_to_the_user() -> None:
    with pytest.raises(WinnowError, match="do that by hand"):
        without_setting("a:\n  ? x\n  : 1\n", "a", "x")


def test_settings_do_not_change_below_a_run() -> None:
    with locked(LOCK, wait=0, busy=""), pytest.raises(WinnowError, match="a run is at work"):
        _keep(budget=50)
    assert Path("params.yaml").read_text() == PARAMS


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("seed: 1\n", "seed: 1\n\nlabel:\n  budget: 7\n"),
        ("label:\n    budget:   # none\n    folds: 5\n", "label:\n    budget: 7   # none\n    folds: 5\n"),
        ("label:\n  folds: 5\n", "label:\n  budget: 7\n  folds: 5\n"),
        ("label: {folds: 5}\n", "label: {budget: 7, folds: 5}\n"),
        ("label:\r\n  budget: 3 # x\r\n", "label:\r\n  budget: 7 # x\r\n"),
        ("label:\n  budget:\n    a: 1\n    # b\n  folds: 5\n", "label:\n  budget:\n    7\n    # b\n  folds: 5\n"),
    ],
)
def test_a_setting_finds_its_place_in_every_layout(text: str, changed: str) -> None:
    assert with_setting(text, "label", "budget", 7) == changed


@pytest.mark.parametrize("text", ["label: 3\n", "label: {}\n", "label:\n", "{seed: 1}\n", "---\nseed: 1\n...\n"])
def test_a_layout_that_it_cannot_write_into_is_left_to_the_user(text: str) -> None:
    with pytest.raises(WinnowError, match="set it there by hand"):
        with_setting(text, "label", "budget", 7)


def _kind(name: str) -> None:
    Path("params.yaml").write_text(PARAMS.replace("{name: image, image_size: 32}", f"{{name: {name}}}"))


def test_a_folder_without_a_file_is_refused_before_anything_is_written() -> None:
    Path("bare/cat").mkdir(parents=True)
    with pytest.raises(WinnowError, match="bare is empty: put pictures there"):
        _keep("bare")
    assert Path("params.yaml").read_text() == PARAMS


@pytest.mark.parametrize(("kind", "holds", "cure"), [("text", "0.jpg", "photos"), ("image", "0.TXT", "texts")])
def test_a_folder_of_another_kind_of_data_is_refused_with_the_command_for_it(kind: str, holds: str, cure: str) -> None:
    _kind(kind)
    Path("mine/cat").mkdir(parents=True)
    Path("mine/cat", holds).write_text("content")
    with pytest.raises(WinnowError, match=f"`winnow {cure} mine` sets all that they need"):
        _keep("mine")


def test_a_table_is_refused_for_pictures_with_the_command_for_it() -> None:
    Path("reviews.csv").write_text("review,stars\nGood,1\n")
    with pytest.raises(WinnowError, match=r"holds texts, .* for pictures: `winnow texts reviews.csv`"):
        _keep("reviews.csv")


def test_a_size_of_pictures_is_refused_for_texts() -> None:
    _kind("text")
    with pytest.raises(WinnowError, match="--image-size is for other data than texts"):
        _keep(image_size=64)
