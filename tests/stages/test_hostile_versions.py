"""Hostile versions in the registry: none becomes champion, nothing of one is run, each gets a sentence."""

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registered_world import CLASSES, register_model, write_data, write_model, write_predictions

from benchmarks._hostile_versions import FILES, SOURCES, TAGS, Spoil
from benchmarks._hostile_weights import MARK
from components.core import files, model_versions, tracking
from components.core.errors import WinnowError
from components.core.model_versions import ALL_FILES, Version, find
from components.core.version_files import WEIGHTS
from components.stages.registered import load_version, prove
from pipelines import cli


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of version 1, which serves, in the registry of the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        for name in (tracking.URI, "WINNOW_PIPELINE_RUN"):
            patch.delenv(name, raising=False)
        tracking._client = None
        write_data()
        write_model(0, CLASSES)
        write_predictions(1.0, CLASSES)
        register_model({})
        yield _place(find("winnow", 1).source)
    tracking._client = None


def _place(source: str) -> Path:
    logged = tracking.client().get_logged_model(source.removeprefix("models:/"))
    return Path(logged.artifact_location.removeprefix("file://"))


def _registered(champion: Path, spoil: Spoil | None = None, *, forged: bool = False, **tags: str) -> Version:
    """A version like the champion whose files were spoiled; `forged`: its tags were made to match them."""
    store, first = tracking.client(), find("winnow", 1)
    logged = store.create_logged_model(tracking.experiment(), "winnow", first.run_id)
    home = _place(f"models:/{logged.model_id}")
    shutil.copytree(champion, home, dirs_exist_ok=True)
    if spoil:
        spoil(home)
    told = {name: first.tags[name] for name in ("model_sha256", ALL_FILES)} | tags
    if forged:
        told = {"model_sha256": _digest(home), ALL_FILES: files.sha256(home)}
    made = store.create_model_version("winnow", f"models:/{logged.model_id}", first.run_id, tags=told)
    return find("winnow", int(made.version))


def _digest(home: Path) -> str:
    whole = all((home / name).is_file() for name in (WEIGHTS, "weights/model.json"))
    return model_versions.model_digest(home / WEIGHTS) if whole else "0" * 64


def _refused(version: Version, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence that `winnow promote` ends in; that predictions and the service refuse the version as well."""
    patch.setattr(sys, "argv", ["winnow", "promote", str(version.number)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert said.startswith(("winnow: version ", "winnow: MLflow at "))  # the latter where it has no such model
    assert said.count("\n") == 1
    assert "Traceback" not in said
    with pytest.raises(WinnowError):
        load_version(version)
    assert find("winnow", "champion").number == 1
    assert not MARK.exists()
    tracking.client().delete_model_version("winnow", str(version.number))
    return said


@pytest.mark.parametrize("case", FILES)
def test_a_version_with_other_files_than_were_registered_never_serves(
    champion: Path, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil = FILES[case]
    _refused(_registered(champion, spoil), monkeypatch, capsys)
    if not _endless(case):
        _refused(_registered(champion, spoil, forged=True), monkeypatch, capsys)


def _endless(case: str) -> bool:
    """What cannot be read to its end, so that no tag can match it."""
    return case in ("an endless file", "a pipe", "a link to itself") or "gigabyte" in case


@pytest.mark.parametrize("case", SOURCES)
def test_a_version_whose_files_are_elsewhere_is_not_fetched(
    champion: Path, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = _registered(champion).number
    with sqlite3.connect("mlflow.db") as database:
        change = "UPDATE model_versions SET source = ?, storage_location = ? WHERE version = ?"
        database.execute(change, (SOURCES[case], SOURCES[case], number))
    _refused(find("winnow", number), monkeypatch, capsys)


@pytest.mark.parametrize("case", TAGS)
def test_a_version_whose_digests_were_edited_never_serves(
    champion: Path, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused(_registered(champion, **TAGS[case]), monkeypatch, capsys)


def test_classes_for_each_other_are_not_what_was_registered(
    champion: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def swap(home: Path) -> None:
        path = home / "weights/model.json"
        path.write_text(path.read_text().replace("cat", "cow").replace("dog", "cat").replace("cow", "dog"))

    assert "its sha256 differs" in _refused(_registered(champion, swap), monkeypatch, capsys)


def test_a_version_like_the_champion_is_taken(champion: Path) -> None:
    prove(_registered(champion))
    prove(_registered(champion, forged=True))


def test_the_copy_on_this_machine_is_checked_at_every_use(champion: Path) -> None:
    version = find("winnow", 1)
    load_version(version)
    copy = next(Path(".winnow/models").glob("winnow-1-*")) / WEIGHTS
    whole = copy.read_bytes()
    copy.unlink()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WinnowError, match=r"its sha256 differs\): delete \.winnow/models/winnow-1-"):
        load_version(version)
    copy.unlink()
    copy.symlink_to(champion / WEIGHTS)
    with pytest.raises(WinnowError, match="no plain file"):
        load_version(version)
    load_version(version, fresh=True)
    assert copy.read_bytes() == whole


def test_a_version_deleted_while_it_is_promoted_leaves_the_champion(champion: Path) -> None:
    doomed = _registered(champion)

    def prove_and_delete(version: Version) -> Any:
        prove(version)
        tracking.client().delete_model_version("winnow", str(version.number))

    with pytest.raises(WinnowError, match="MLflow at"):
        model_versions.promote("winnow", doomed.number, prove=prove_and_delete)
    assert find("winnow", "champion").number == 1
