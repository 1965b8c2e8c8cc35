"""A stage reads only what dvc.lock records: flipped bytes, corrupt cache objects and broken lock files are named."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.integrity import checking, intact, md5_of, recorded_outputs

ROOT = Path(__file__).resolve().parents[2]
RECORD = """
schema: '2.0'
stages:
  first:
    cmd: x
    outs:
    - {path: data/first/x, hash: md5, md5: 900150983cd24fb0d6963f7d28e17f72, size: 3}
    - {path: data/first/folder, hash: md5, md5: 0123.dir, size: 3, nfiles: 1}
"""
DVC_YAML = """
stages:
  first:
    cmd: python -m components.core.stage first
    params: [first]
    deps: [first.txt]
    outs: [data/first/x.txt]
  second:
    cmd: python -m components.core.stage second
    params: [second]
    deps: [data/first/x.txt]
    outs: [data/second/y.txt]
"""
# stands in for the stage package: a stage that copies what it reads
STAGES = """
import sys, types
from components.core import stage
from components.core.config import StageParams
class Params(StageParams):
    value: int = 0
def first(*, params, x):
    x.write_text("a" * 1000 + str(params.value))
def second(*, params, x, y):
    y.write_text(x.read_text())
for run in (first, second):
    def wrapped(run=run, **arguments):
        run(**arguments)
        return {}
    module = types.SimpleNamespace(Params=Params, run=wrapped)
    sys.modules[f"components.stages.{run.__name__}"] = module
sys.exit(stage.main(sys.argv[1]))
"""
Dvc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `data/first/x` as its dvc.lock says."""
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(RECORD)
    path = Path("data/first/x")
    path.parent.mkdir(parents=True)
    path.write_text("abc")
    return path


def test_a_file_as_recorded_has_its_own_digest(recorded: Path) -> None:
    assert checking(recorded_outputs(), "second")(recorded) == (sha256(recorded), md5_of(recorded))
    assert intact(recorded_outputs()[recorded])


def test_a_changed_file_is_refused_by_name_with_its_maker_and_the_way_back(recorded: Path) -> None:
    recorded.write_text("abd")
    with pytest.raises(WinnowError, match=r"data/first/x is not what first wrote .*`winnow doctor --fix`.*repro sec"):
        checking(recorded_outputs(), "second")(recorded)
    assert not intact(recorded_outputs()[recorded])


def test_what_was_never_recorded_is_not_compared(recorded: Path) -> None:
    other = recorded.with_name("other")
    other.write_text("1")
    folder = recorded.with_name("folder")
    folder.mkdir()
    digest = checking(recorded_outputs(), "second")
    assert digest(other) == (sha256(other), md5_of(other))
    assert digest(folder) == (sha256(folder), "")
    Path("dvc.lock").unlink()
    assert recorded_outputs() == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{RECORD}<<<<<<< HEAD\n", "line 9 is a conflict marker of git"),
        ("stages: [", "flow sequence|flow node"),
        ("- 1", "no `stages`"),
        ("stages: {first: {outs: [{path: x}]}}", "lacks its path or md5"),
        ("stages: {first: 3}", "lacks its path or md5"),
    ],
)
def test_a_broken_lock_file_is_one_sentence(recorded: Path, text: str, problem: str) -> None:
    Path("dvc.lock").write_text(text)
    with pytest.raises(WinnowError, match=rf"dvc.lock cannot be read \(.*({problem}).*git checkout") as caught:
        recorded_outputs()
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of two real stages, run once, the second of which reads what the first wrote."""
    home = tmp_path_factory.mktemp("made")
    (home / "run.py").write_text(STAGES)
    (home / "dvc.yaml").write_text(DVC_YAML.replace("-m components.core.stage", "run.py"))
    (home / "params.yaml").write_text("first: {value: 1}\nsecond: {value: 1}\n")
    (home / "first.txt").write_text("1")
    with pytest.MonkeyPatch.context() as patch:
        for arguments in (["init", "--no-scm"], ["repro"]):
            done = _dvc_in(home, patch)(*arguments)
            assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def dvc(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dvc:
    """`dvc(...)` runs DVC in a copy of that workspace, which is the current folder."""
    return _dvc_in(Path(shutil.copytree(made, tmp_path / "work")), monkeypatch)


def _dvc_in(home: Path, patch: pytest.MonkeyPatch) -> Dvc:
    patch.chdir(home)
    patch.setenv("PYTHONPATH", str(ROOT))
    patch.setenv("WINNOW_PIPELINE_RUN", "someone")  # so that nobody talks to MLflow
    patch.setenv("DVC_NO_ANALYTICS", "1")
    patch.setenv("DVC_SITE_CACHE_DIR", str(home / ".winnow/dvc"))
    patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)

    return run


@pytest.mark.slow
def test_while_dvc_runs_the_record_of_the_stage_before_is_fresh(dvc: Dvc) -> None:
    Path("params.yaml").write_text("first: {value: 2}\nsecond: {value: 1}\n")
    done = dvc("repro")
    assert done.returncode == 0, done.stderr
    assert Path("data/second/y.txt").read_text().endswith("a2")


@pytest.mark.slow
def test_a_byte_flipped_behind_dvcs_back_stops_the_next_stage(dvc: Dvc) -> None:
    dvc("status")  # DVC notes size and time of what it has hashed, and looks at those alone from then on
    _flip(Path("data/first/x.txt"))
    Path("params.yaml").write_text("first: {value: 1}\nsecond: {value: 2}\n")
    done = dvc("repro")
    assert done.returncode != 0
    assert "winnow: second: data/first/x.txt is not what first wrote (recorded in dvc.lock)" in done.stderr
    assert "exited with 1" in done.stderr


@pytest.mark.slow
def test_a_corrupt_cache_object_that_dvc_restores_is_found(dvc: Dvc) -> None:
    md5 = recorded_outputs()[Path("data/first/x.txt")].md5
    _flip(Path(".dvc/cache/files/md5") / md5[:2] / md5[2:])
    Path("data/first/x.txt").unlink()
    assert dvc("checkout").returncode == 0  # without a word
    Path("params.yaml").write_text("first: {value: 1}\nsecond: {value: 2}\n")
    done = dvc("repro")
    assert done.returncode != 0
    assert "data/first/x.txt is not what first wrote" in done.stderr


@pytest.mark.slow
def test_a_fresh_pull_refuses_a_corrupt_object_where_the_remote_is_verified(dvc: Dvc, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    assert dvc("remote", "add", "-d", "storage", str(remote)).returncode == 0
    assert dvc("config", "remote.storage.verify", "true").returncode == 0
    assert dvc("push").returncode == 0
    md5 = recorded_outputs()[Path("data/first/x.txt")].md5
    _flip(remote / "files/md5" / md5[:2] / md5[2:])
    for folder in ("data", ".dvc/cache", ".dvc/tmp", ".winnow"):
        shutil.rmtree(folder, ignore_errors=True)
    done = dvc("pull")
    assert done.returncode != 0
    assert "data/first/x.txt" in done.stderr + done.stdout
    assert not Path("data/first/x.txt").exists()


@pytest.mark.slow
def test_with_conflict_markers_in_the_lock_file_nothing_runs(dvc: Dvc) -> None:
    with Path("dvc.lock").open("a") as file:
        file.write("<<<<<<< HEAD\n")
    before = Path("data/second/y.txt").stat().st_mtime_ns
    done = subprocess.run([sys.executable, "run.py", "second"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("winnow: second: dvc.lock cannot be read (line ")
    assert dvc("repro").returncode != 0  # DVC's own words
    assert Path("data/second/y.txt").stat().st_mtime_ns == before


def _flip(path: Path) -> None:
    """Change one byte in the middle; size, times and mode stay."""
    facts = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    path.chmod(facts.st_mode & 0o777)
