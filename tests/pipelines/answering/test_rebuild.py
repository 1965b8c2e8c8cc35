"""A version made again in a scratch copy: identical, or stopped at the first stage that made other bytes."""

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.errors import WinnowError
from components.core.installed import installed
from components.core.integrity import recorded_outputs, recorded_stages
from components.core.model_versions import Version
from components.core.run_source import RunSource
from pipelines.answering import rebuild, scratch_copy

GRAPH = """
stages:
  copy:
    cmd: cat data/raw/a.txt data/labels/ledger.csv tool.txt > data/copy/out.json
    params: [seed]
    deps: [data/raw, data/labels/ledger.csv]
    outs: [data/copy/out.json]
  twice:
    cmd: cat data/copy/out.json data/copy/out.json > data/twice/out.json
    deps: [data/copy/out.json]
    outs: [data/twice/out.json]
"""
RAW, LEDGER, TOOL = "raw\n", "id,label\n", "tool\n"
MADE = RAW + LEDGER + TOOL


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunSource]:
    """`source(made=...)`: of a version that a small project made, whose stage `copy` wrote that; its ledger grew."""
    monkeypatch.chdir(tmp_path)
    for name in ("copy", "twice"):
        Path("data", name).mkdir(parents=True)
        Path("data", name, ".gitkeep").touch()
    Path("data/raw").mkdir()
    Path("data/labels").mkdir()
    files = {"data/raw/a.txt": RAW, "data/labels/ledger.csv": LEDGER, "tool.txt": TOOL}
    for name, text in {**files, "params.yaml": "seed: 0\n", "dvc.yaml": GRAPH, ".gitignore": ".winnow\n"}.items():
        Path(name).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    Path("data/labels/ledger.csv").write_text(LEDGER + "x,cat\n")
    monkeypatch.setattr(scratch_copy, "cached", lambda md5: None)
    monkeypatch.setattr(rebuild, "kept", lambda recorded: None)

    def of(made: str = MADE, **more: Any) -> RunSource:
        Path("kept").mkdir(exist_ok=True)
        Path("kept/dvc.lock").write_text(_lock(made))
        files = {name: Path(name).read_text() for name in ("params.yaml", "dvc.yaml")}
        lock, outputs = recorded_stages(Path("kept")), recorded_outputs(Path("kept"))
        tags = {"git_commit": commit, **more.pop("tags", {})}
        return RunSource("r", tags, 0, 0, {**files, **more.pop("files", {})}, lock, outputs, installed())

    return of


def _lock(made: str) -> str:
    raw = hashlib.md5(f'[{{"md5": "{_md5(RAW)}", "relpath": "a.txt"}}]'.encode()).hexdigest() + ".dir"
    given = [{"path": "data/labels/ledger.csv", "md5": _md5(LEDGER)}, {"path": "data/raw", "md5": raw}]
    stages = yaml.safe_load(GRAPH)["stages"]
    out = [{"path": "data/copy/out.json", "md5": _md5(made)}]
    twice = [{"path": "data/twice/out.json", "md5": _md5(made * 2)}]
    params = {"params.yaml": {"seed": 0}}
    copy = {"cmd": stages["copy"]["cmd"], "deps": given, "outs": out, "params": params}
    return yaml.safe_dump(
        {
            "schema": "2.0",
            "stages": {"copy": copy, "twice": {"cmd": stages["twice"]["cmd"], "deps": out, "outs": twice}},
        }
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_the_same_commit_and_inputs_make_the_same_bytes(
    source: Callable[..., RunSource], capfd: pytest.CaptureFixture[str]
) -> None:
    made = source()
    Path("tool.txt").write_text("another tool\n")  # not the commit's
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    assert rebuild._run(made, project) is None
    said = capfd.readouterr().out
    assert [line.split() for line in said.splitlines()] == [["copy", "identical"], ["twice", "identical"]]
    assert (project / "data/labels/ledger.csv").read_text() == LEDGER  # not what has grown since


def test_it_stops_at_the_first_stage_that_made_other_bytes_and_names_what_it_was_given(
    source: Callable[..., RunSource], capfd: pytest.CaptureFixture[str]
) -> None:
    made = source()
    Path("data/raw/a.txt").write_text("Raw\n")  # one byte
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    found = rebuild._run(made, project)
    assert found is not None
    rebuild._say_difference(found, made, project)
    said = capfd.readouterr().out
    assert "first difference: copy" in said
    assert "data/raw is another" in said
    assert "twice" not in said


def test_a_source_outside_of_the_project_that_has_changed_is_what_a_stage_was_given(
    source: Callable[..., RunSource], tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path_factory.mktemp("outside")
    (place / "one.txt").write_text("one")
    made = source(files={"params.yaml": yaml.safe_dump({"seed": 0, "ingest": {"source": str(place)}})})
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    rebuild._note_outside(project)
    note = json.loads((project / "data/raw/source.json").read_text())
    assert (note["files"], note["bytes"]) == (1, 3)
    assert not Path("data/raw/source.json").exists()
    assert rebuild._run(made, project) is None  # this stage reads no more than a.txt
    assert "identical, though data/raw is another" in capfd.readouterr().out


def test_what_cannot_be_had_again_is_said_before_anything_runs(source: Callable[..., RunSource]) -> None:
    for more, refusal in (
        ({"tags": {"git_commit": ""}}, "was made in no git repository"),
        ({"files": {"left_out.txt": "big.bin\n"}}, r"too much to keep \(big.bin\)"),
        ({"tags": {"git_commit": "0" * 40}}, "fetch its commit"),
    ):
        with pytest.raises(WinnowError, match=refusal):
            scratch_copy.scratch_copy(source(**more), Path(".winnow/rebuild/1"), "version 1")
        subprocess.run(["rm", "-rf", ".winnow"], check=True)
    Path("data/labels/ledger.csv").write_text("id,label\nx,dog\n")
    subprocess.run(["git", "rm", "-q", "--cached", "data/labels/ledger.csv"], check=True)
    made = source()
    lock = yaml.safe_load(Path("kept/dvc.lock").read_text())
    lock["stages"]["copy"]["deps"][0]["md5"] = _md5("other")
    Path("kept/dvc.lock").write_text(yaml.safe_dump(lock))
    other = RunSource("r", made.tags, 0, 0, made.files, recorded_stages(Path("kept")), {}, {})
    with pytest.raises(WinnowError, match="is no first part of data/labels/ledger"):
        scratch_copy.scratch_copy(other, Path(".winnow/rebuild/1"), "version 1")


def test_the_differences_a_run_kept_come_along(source: Callable[..., RunSource]) -> None:
    Path("tool.txt").write_text("changed\n")
    told = subprocess.run(["git", "diff", "HEAD", "--", "tool.txt"], capture_output=True, text=True, check=True)
    Path("tool.txt").write_text(TOOL)
    made = source(files={"changes.diff": told.stdout})
    with pytest.raises(WinnowError, match=r"read made_from/changes\.diff .* then use --with-changes"):
        scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    assert not Path(".winnow").exists()
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1", with_changes=True)
    assert (project / "tool.txt").read_text() == "changed\n"


def _other_second_stage(made: RunSource, command: str, then: str, **more: Any) -> RunSource:
    """Of a version whose stage `twice` was that command, committed, and wrote `then`."""
    graph = yaml.safe_load(GRAPH)
    graph["stages"]["twice"] |= {"cmd": command, "params": ["seed"]}
    Path("dvc.yaml").write_text(yaml.safe_dump(graph))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "commit", "-qam", "second"], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    outs, params = [{"path": "data/twice/out.json", "md5": _md5(then)}], {"params.yaml": {"seed": 0}}
    twice = {**made.lock["twice"], "cmd": command, "outs": outs, "params": params}
    files = {**made.files, "dvc.yaml": Path("dvc.yaml").read_text(), **more.pop("files", {})}
    return replace(made, tags={"git_commit": commit}, files=files, lock={**made.lock, "twice": twice}, **more)


def test_a_changed_setting_is_named_at_the_stage_whose_bytes_it_changes(
    source: Callable[..., RunSource], capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"params.yaml": "seed: 1\n"}
    made = _other_second_stage(source(), "cat params.yaml > data/twice/out.json", "seed: 0\n", files=files)
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    found = rebuild._run(made, project)
    assert found is not None
    assert (found.stage, found.causes) == ("twice", ("seed is 1, was 0",))
    assert "identical, though seed is 1, was 0" in capfd.readouterr().out  # of the stage before


@pytest.mark.parametrize("now", ["1.0", "1.1"])
def test_another_version_of_one_library_is_named_where_nothing_else_differs(
    source: Callable[..., RunSource], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], now: str
) -> None:
    library = Path("libraries", f"toylib-{now}.dist-info").absolute()
    library.mkdir(parents=True)
    (library / "METADATA").write_text(f"Metadata-Version: 2.1\nName: toylib\nVersion: {now}\n")
    monkeypatch.syspath_prepend(str(library.parent))
    monkeypatch.setenv("PYTHONPATH", str(library.parent), prepend=os.pathsep)
    command = "python -c \"import importlib.metadata as m; print(m.version('toylib'))\" > data/twice/out.json"
    here = installed()
    then = {**here, "packages": {**here["packages"], "toylib": "1.0"}}
    made = _other_second_stage(source(), command, "1.0\n", environment=then)
    project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
    rebuild._say_environment(made)
    found = rebuild._run(made, project)
    said = capfd.readouterr().out
    if now == "1.0":
        assert found is None
        assert "the same environment" in said
        return
    assert found is not None
    assert (found.stage, found.causes) == ("twice", ())
    assert [line.split() for line in said.splitlines() if "toylib" in line] == [["toylib", "1.0", "|", "1.1"]]
    rebuild._say_difference(found, made, project)
    assert "the same code, settings and inputs" in capfd.readouterr().out


def test_a_registry_that_somebody_wrote_into_makes_nothing_run(source: Callable[..., RunSource]) -> None:
    evil = GRAPH.replace("cmd: cat", "cmd: touch ../../../evil; cat")
    for more, refusal in (
        ({"files": {"dvc.yaml": evil}}, "what it would run is not known"),
        ({"tags": {"git_commit": "--upload-pack=touch evil"}}, "is '--upload-pack=touch evil', no commit"),
        ({"tags": {"git_commit": "HEAD"}}, "is 'HEAD', no commit"),
    ):
        with pytest.raises(WinnowError, match=refusal):
            scratch_copy.scratch_copy(source(**more), Path(".winnow/rebuild/1"), "version 1")
        subprocess.run(["rm", "-rf", ".winnow"], check=True)
    assert not Path("evil").exists()
    made = source()
    del made.files["dvc.yaml"]  # type: ignore[attr-defined]
    with pytest.raises(WinnowError, match=r"kept no dvc\.yaml"):
        scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")


def test_an_input_comes_from_the_cache_where_that_is_whole_and_stays_inside(
    source: Callable[..., RunSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = source()
    listing = made.given(Path("data/raw"))
    cache = Path("cache").absolute()
    cache.mkdir()
    monkeypatch.setattr(scratch_copy, "cached", lambda md5: one if (one := cache / md5).is_file() else None)
    for name, content, restored in (
        ("b.txt", RAW, "b.txt"),
        ("b.txt", "damaged\n", "a.txt"),  # DVC's cache takes what it once had for granted
        ("../b.txt", RAW, "a.txt"),
    ):
        (cache / listing).write_text(json.dumps([{"md5": _md5(RAW), "relpath": name}]))
        (cache / _md5(RAW)).write_text(content)
        project = scratch_copy.scratch_copy(made, Path(".winnow/rebuild/1"), "version 1")
        assert [one.name for one in (project / "data/raw").iterdir()] == [restored]
        assert not (project / "data/b.txt").exists()
        subprocess.run(["rm", "-rf", ".winnow"], check=True)


def test_two_at_once_do_not_take_each_others_folder(
    source: Callable[..., RunSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, version = source(), Version("toys", 1, "", "r")
    monkeypatch.setattr(rebuild, "find", lambda name, wanted: version)
    monkeypatch.setattr(rebuild, "model_name", lambda: "toys")
    monkeypatch.setattr(rebuild, "run_source", lambda run_id, whose: made)
    monkeypatch.setattr(rebuild, "_same_model", lambda *_: True)

    def meanwhile(source: RunSource, project: Path) -> None:
        with pytest.raises(WinnowError, match=rf"process {os.getpid()} is making version 1 of toys again"):
            rebuild.rebuild("1")
        assert (project / "params.yaml").is_file()

    monkeypatch.setattr(rebuild, "_run", meanwhile)
    assert rebuild.rebuild("1")


def test_two_environments_stand_beside_each_other(
    source: Callable[..., RunSource], capsys: pytest.CaptureFixture[str]
) -> None:
    made, now = source(), installed()
    then = {**now, "packages": {**now["packages"], "torch": "1.0"}}
    for environment, said in (
        (now, "the same environment"),
        (then, f"1.0  |  {now['packages']['torch']}"),
        ({}, "what was installed then is not known"),
    ):
        rebuild._say_environment(RunSource("r", {}, 0, 0, {}, made.lock, made.outputs, environment))
        assert said in capsys.readouterr().out
