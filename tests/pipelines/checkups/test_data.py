"""Corrupt versions, changed outputs, careless remotes and changed pictures: found, mended where that is safe."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.checkups import Finding, data
from pipelines.dvc import ask_dvc

pytestmark = pytest.mark.slow  # DVC itself, several times a test

OUTPUT = Path("data/first/x")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of one stage, run by DVC."""
    home = tmp_path_factory.mktemp("made")
    code = f"open('{OUTPUT}', 'w').write('a' * 100)"
    (home / OUTPUT).parent.mkdir(parents=True)
    (home / "dvc.yaml").write_text(f'stages:\n  first:\n    cmd: {sys.executable} -c "{code}"\n    outs: [{OUTPUT}]\n')
    (home / "params.yaml").write_text("ingest: {source: digits}\n")
    with pytest.MonkeyPatch.context() as patch:
        _enter(home, patch)
        ask_dvc("init", "--no-scm")
        ask_dvc("repro")
    return home


@pytest.fixture(autouse=True)
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of it, to be damaged."""
    _enter(Path(shutil.copytree(made, tmp_path / "project")), monkeypatch)


def _enter(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(home)
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("DVC_SITE_CACHE_DIR", str(home / ".winnow/dvc"))


def test_a_corrupt_version_is_replaced_by_the_whole_one_of_the_workspace() -> None:
    assert data.cached_versions() == []
    _flip(_object())
    (found,) = data.cached_versions()
    assert found.what == f"the cached {OUTPUT}, written by first, is corrupt ({_object()})."
    assert "put data/first/x into the cache again" in _mend(found)
    assert data.cached_versions() == []
    assert _object().stat().st_mode & 0o777 == 0o444


def test_a_corrupt_version_that_the_workspace_does_not_have_is_removed_and_made_anew() -> None:
    _flip(_object())
    OUTPUT.unlink()
    (found,) = data.cached_versions()
    assert "or `winnow repro` brings data/first/x back" in _mend(found)
    ask_dvc("repro")
    assert OUTPUT.read_text() == "a" * 100
    assert data.cached_versions() == []


def test_what_dvc_never_finished_is_removed() -> None:
    half = _object().with_name(".abc.tmp")
    half.touch()
    (found,) = data.cached_versions()
    assert "was never finished" in found.what
    _mend(found)
    assert not half.exists()


def test_a_changed_output_is_taken_from_the_cache() -> None:
    assert data.outputs() == []
    _flip(OUTPUT)
    (found,) = data.outputs()
    assert found.what == "data/first/x is not what first wrote (recorded in dvc.lock)."
    assert _mend(found) == "took it from the cache; what was there is .winnow/replaced/first-x."
    assert Path(".winnow/replaced/first-x").stat().st_size == 100
    assert OUTPUT.read_text() == "a" * 100
    assert data.outputs() == []


def test_a_changed_output_that_the_cache_has_not_whole_is_made_anew() -> None:
    _flip(OUTPUT)
    _flip(_object())
    for found in [*data.cached_versions(), *data.outputs()]:
        _mend(found)
    assert not OUTPUT.exists()
    ask_dvc("repro")
    assert OUTPUT.read_text() == "a" * 100
    assert [*data.cached_versions(), *data.outputs()] == []


def test_a_remote_that_does_not_verify_is_told_to_and_what_it_lacks_is_named(tmp_path: Path) -> None:
    assert data.remote() == []
    ask_dvc("remote", "add", "-d", "storage", str(tmp_path / "remote"))
    careless, lacking = data.remote()
    assert careless.what == "remote storage hands out corrupt objects unseen."
    assert lacking.what == "the remote lacks data/first/x."
    assert not lacking.wrong
    _mend(careless)
    assert data.remote() == [lacking]
    ask_dvc("push")
    assert data.remote() == []


def test_pictures_that_changed_or_went_after_ingest_are_named() -> None:
    Path("params.yaml").write_text("ingest: {source: pictures}\n")
    Path("pictures").mkdir()
    names = [f"{number}.png" for number in range(7)]
    for name in names:
        Path("pictures", name).write_text(name)
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    Path("data/ingest").mkdir()
    pq.write_table(pa.table({"path": names, "sha256": digests}), "data/ingest/manifest.parquet")
    assert data.raw_files() == []
    Path("pictures/3.png").unlink()
    for name in names[:1]:
        _flip(Path("pictures", name))
    changed, gone = data.raw_files()
    assert changed.what == "pictures in pictures changed since ingest read them: 0.png."
    assert gone.what == "pictures in pictures gone since ingest read them: 3.png."
    subprocess.run(["rm", "-r", "pictures"], check=True)
    (gone,) = data.raw_files()
    assert gone.what.endswith("0.png, 1.png, 2.png, 3.png, 4.png and 2 more.")


def _object() -> Path:
    md5 = hashlib.md5(b"a" * 100).hexdigest()
    return Path(".dvc/cache/files/md5") / md5[:2] / md5[2:]


def _mend(found: Finding) -> str:
    assert found.fix is not None
    return found.fix()


def _flip(path: Path) -> None:
    """Change one byte; size, times and mode stay."""
    facts = path.stat()
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    path.chmod(facts.st_mode & 0o777)
