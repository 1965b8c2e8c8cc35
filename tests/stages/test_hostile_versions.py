"""Hostile versions in the registry: none becomes champion, nothing of one is run, each gets a sentence."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registered_world import CLASSES, register_model, write_data, write_model, write_predictions

from benchmarks._hostile_registry import Spare, spare
from benchmarks._hostile_versions import FILES, SOURCES, TAGS, endless
from benchmarks._hostile_weights import MARK
from components.core import model_versions, tracking
from components.core.errors import WinnowError
from components.core.model_versions import Version, find
from components.core.version_files import WEIGHTS
from components.release.registered import load_version, prove
from pipelines import cli

PROMOTED = (  # one for each check that a version has to pass, and whether its tags are made to match
    ("a pickle where MLflow's server looks first", False),
    ("a link to a file outside", True),
    ("settings of a gigabyte", False),
    ("no weights", True),
    ("half the weights", False),
    ("another loader", True),
    ("weights of int8", True),
    ("answers of words", True),
    ("weights that answer otherwise", True),
)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Spare]:
    """A version beside version 1, which serves, in the registry of the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        for name in (tracking.URI, "WINNOW_PIPELINE_RUN"):
            patch.delenv(name, raising=False)
        tracking._client = None
        shutil.copyfile(empty_store, "mlflow.db")
        write_data()
        write_model(0, CLASSES)
        write_predictions(1.0, CLASSES)
        register_model({})
        yield spare("winnow")
    tracking._client = None


def _refused(version: Version) -> str:
    """The sentence with which the check of `promote` and `rollback`, and that of `predict` and `serve`, refuse it."""
    with pytest.raises(WinnowError) as refusal:
        prove(version)
    with pytest.raises(WinnowError):
        load_version(version)
    said = str(refusal.value)
    assert said.startswith(("version ", "MLflow at "))  # the latter where it has no such model
    assert "\n" not in said
    assert not MARK.exists()
    return said


@pytest.mark.parametrize("case", FILES)
def test_a_version_with_other_files_than_were_registered_is_not_loaded(second: Spare, case: str) -> None:
    second.spoil(FILES[case])
    _refused(second.version)
    if not endless(case):
        second.spoil(FILES[case], forged=True)
        _refused(second.version)


@pytest.mark.parametrize("case", SOURCES)
def test_a_version_whose_files_are_elsewhere_is_not_fetched(second: Spare, case: str) -> None:
    second.spoil(None)
    with second.moved(SOURCES[case]):
        _refused(second.version)


@pytest.mark.parametrize("case", TAGS)
def test_a_version_whose_digests_were_edited_is_not_loaded(second: Spare, case: str) -> None:
    second.spoil(None, **TAGS[case])
    _refused(second.version)


@pytest.mark.parametrize(("case", "forged"), PROMOTED)
def test_what_is_not_loaded_never_becomes_champion(
    second: Spare, case: str, forged: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    second.spoil(FILES[case], forged=forged)
    monkeypatch.setattr(sys, "argv", ["winnow", "promote", str(second.number)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert said.startswith(f"winnow: version {second.number} ")
    assert said.count("\n") == 1
    assert find("winnow", "champion").number == 1
    assert not MARK.exists()


def test_classes_for_each_other_are_not_what_was_registered(second: Spare) -> None:
    def swap(home: Path) -> None:
        path = home / "weights/model.json"
        path.write_text(path.read_text().replace("cat", "cow").replace("dog", "cat").replace("cow", "dog"))

    second.spoil(swap)
    assert "its sha256 differs" in _refused(second.version)


def test_a_version_like_the_champion_is_taken(second: Spare) -> None:
    second.spoil(None)
    prove(second.version)
    second.spoil(None, forged=True)
    prove(second.version)


def test_the_copy_on_this_machine_is_checked_at_every_use(second: Spare) -> None:
    version = find("winnow", 1)
    load_version(version)
    copy = next(Path(".winnow/models").glob("winnow-1-*")) / WEIGHTS
    whole = copy.read_bytes()
    copy.unlink()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WinnowError, match=r"its sha256 differs\): delete \.winnow/models/winnow-1-"):
        load_version(version)
    copy.unlink()
    copy.symlink_to(second.whole / WEIGHTS)
    with pytest.raises(WinnowError, match="no plain file"):
        load_version(version)
    load_version(version, fresh=True)
    assert copy.read_bytes() == whole


def test_a_version_deleted_while_it_is_promoted_leaves_the_champion(second: Spare) -> None:
    doomed = spare("winnow")

    def prove_and_delete(version: Version) -> Any:
        prove(version)
        tracking.client().delete_model_version("winnow", str(version.number))

    with pytest.raises(WinnowError, match="MLflow at"):
        model_versions.promote("winnow", doomed.number, prove=prove_and_delete)
    assert find("winnow", "champion").number == 1
