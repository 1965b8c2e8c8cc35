"""Class folders: near misses of reserved names and shapes that are no classes are refused; what is doubtful is said."""

from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.datasets.sources import Rejected, Source, open_source, place_of


def folder(home: Path, *names: str, classes: list[str] | None = None) -> Source:
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x")
    return open_source(str(home), root=home, download=False, classes=classes)


UNLABELED = "unlabelled _unlabeled un-labeled unlabled unknown Unknown unkown no_label not_labelled unsorted to_label"
UNLABELED += " unidentified undefined_2 labelless label-me unlab unl unk unsup Unsupervised"
SPLITS = "training Training testing tests test_set TrainSet train2017 val2017 dev holdout hold-out validate eval _test"
SPLITS += " trainval train_val images_train"


@pytest.mark.parametrize("name", [*UNLABELED.split(), *SPLITS.split()])
def test_a_near_miss_of_a_reserved_name_is_refused_unless_it_is_named(tmp_path: Path, name: str) -> None:
    files = ("cat/1.jpg", "dog/2.jpg", f"{name}/3.jpg")
    with pytest.raises(WinnowError, match=r"which looks like '(unlabeled|train|test)'.*ingest\.classes"):
        folder(tmp_path, *files).classes()
    assert name in folder(tmp_path, *files, classes=["cat", "dog", name]).classes()


@pytest.mark.parametrize("name", ["brain", "best", "contest", "trail", "label", "value", "evil", "Devon", "knowing"])
def test_a_name_that_means_something_else_is_a_class(tmp_path: Path, name: str) -> None:
    assert name in folder(tmp_path, "cat/1.jpg", f"{name}/3.jpg").classes()


@pytest.mark.parametrize("name", ["Unlabeled", "UNLABELED", " unlabeled"])
def test_upper_case_makes_no_difference_to_a_reserved_name(tmp_path: Path, name: str) -> None:
    assert folder(tmp_path, "cat/1.jpg", "dog/2.jpg", f"{name}/3.jpg").classes() == ["cat", "dog"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            ["2024/cat/1.jpg", "2024/dog/1.jpg", "2025/cat/1.jpg", "2025/dog/1.jpg"],
            "hold the same folders 'cat', 'dog'",
        ),
        (["cat/train/1.jpg", "cat/test/1.jpg", "dog/train/1.jpg", "dog/test/1.jpg"], "hold the same folders"),
        (["set/cat/1.jpg", "set/dog/1.jpg"], "with 'cat', 'dog' inside: name that one, ingest.source"),
        (["set/train/cat/1.jpg", "set/test/cat/1.jpg"], "with 'test', 'train' inside"),
        (["train/train/cat/1.jpg", "train/x/1.jpg"], "where class folders are expected"),
        (["Cat/1.jpg", "cat/2.jpg", "dog/3.jpg"], "alike but for upper case"),
        (["cat_/1.jpg", "cat/2.jpg", "dog/3.jpg"], "'cat', 'cat_', alike"),
        (["\u0441at/1.jpg", "cat/2.jpg", "dog/3.jpg"], "letters of another alphabet"),
    ],
)
def test_a_shape_that_is_no_classes_is_refused(tmp_path: Path, files: list[str], says: str) -> None:
    with pytest.raises(WinnowError, match=says):
        folder(tmp_path, *files).classes()


@pytest.mark.parametrize("place", ["", ".", "..", "/", "folder:", "data", "data/../data/"])
def test_a_folder_that_holds_the_project_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "project/data/raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    with pytest.raises(WinnowError, match="name the folder in which the pictures are"):
        place_of(place, tmp_path)


def test_one_inner_folder_for_every_class_is_no_harm(tmp_path: Path) -> None:
    assert folder(tmp_path, "cat/images/1.jpg", "dog/images/2.jpg").classes() == ["cat", "dog"]


def test_named_classes_must_be_there_and_be_all(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="names 'catt', no class folder"):
        folder(tmp_path, "cat/1.jpg", "dog/2.jpg", classes=["catt", "dog"]).classes()
    with pytest.raises(WinnowError, match=r"'dog' that ingest\.classes does not name"):
        folder(tmp_path, "cat/1.jpg", "dog/2.jpg", classes=["cat"]).classes()


def test_what_is_doubtful_is_said(tmp_path: Path) -> None:
    source = folder(tmp_path, "cat  big/1.jpg", "cat big/2.jpg", "other/3.jpg", "???/4.jpg", "annotations/1.xml")
    assert source.classes() == ["???", "cat big", "other"]
    said = " ".join(source.notices())
    assert "2 folders" in said
    assert "'other' is taken for a class" in said
    assert "'???' is taken for a class" in said
    assert "annotations holds no samples" in said


NONE = "._a.png .gitkeep Thumbs.db desktop.ini a.json a.xml a.txt a.csv a.jpg.part a.xmp a.png~ notes.MD"


@pytest.mark.parametrize("name", NONE.split())
def test_a_file_that_lies_beside_pictures_is_left_out_by_its_name(tmp_path: Path, name: str) -> None:
    items = {item.path: item for item in folder(tmp_path, f"a/{name}", "a/1.jpg", "b/2").items()}
    left = items[f"a/{name}"]
    assert isinstance(left, Rejected)
    assert left.kind == "no_picture"
    assert not any(isinstance(items[path], Rejected) for path in ("a/1.jpg", "b/2"))
