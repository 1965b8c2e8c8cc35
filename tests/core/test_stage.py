"""The stage runner: outputs whole or absent, one sentence for what went wrong, and the exit code."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.core import journal, scratch, stage, used

YAML = """
stages:
  toy:
    cmd: python -m components.core.stage toy
    params: [seed, threads, toy]
    deps: [data/in/number.json]
    outs: [data/toy/result.json]
"""
SOURCE = """
from components.core.config import StageParams
from components.core.errors import Refused, Unavailable, WinnowError
from components.core.progress import report_epoch

class Params(StageParams):
    size: int = 1

def run(*, params, number, result):
    {body}
    return {{"size": params.size}}
"""
Toy = Callable[..., int]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """`toy(body)` runs a stage of that body in a project of its own; returns the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(journal.PARENT, "someone")  # so that nobody here talks to MLflow
    monkeypatch.setattr(stage, "die_with_parent", lambda: None)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "WINNOW_STAGE_KEY"):
        monkeypatch.setenv(name, "1")
    Path("dvc.yaml").write_text(YAML)
    Path("data/in").mkdir(parents=True)
    Path("data/in/number.json").write_text("1")

    def run(body: str, settings: str = "{size: 2}") -> int:
        Path("params.yaml").write_text(f"seed: 3\nthreads: 1\ntoy: {settings}\n")
        module = type(sys)("components.stages.toy")
        exec(compile(SOURCE.format(body=body), "toy.py", "exec"), module.__dict__)
        monkeypatch.setitem(sys.modules, "components.stages.toy", module)
        return stage.main("toy")

    return run


def test_a_stage_gets_its_settings_and_its_outputs_appear(toy: Toy) -> None:
    assert toy("result.write_text(f'{params.size} {params.seed} {number.read_text()}')") == 0
    assert Path("data/toy/result.json").read_text() == "2 3 1"
    (record,) = journal.records()
    assert record.facts["status"] == "FINISHED"
    assert record.facts["metrics"] == {"size": 2.0}
    assert record.facts["params"] == {"size": "2"}
    assert [path.name for path in (record.folder / "artifacts").iterdir()] == ["result.json"]


def test_a_stage_finds_what_it_wrote_before_where_its_output_persists(toy: Toy) -> None:
    Path("dvc.yaml").write_text(YAML.replace("[data/toy/result.json]", "[{data/toy/result.json: {persist: true}}]"))
    go_on = "result.write_text((result.read_text() if result.exists() else '') + 'x')"
    assert [toy(go_on), toy(go_on), toy("result.write_text(''); raise WinnowError('no.')")] == [0, 0, 1]
    assert Path("data/toy/result.json").read_text() == "xx"


def test_epochs_reach_the_record(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert toy("report_epoch(1, {'loss': 0.5}, total=2); result.write_text('')") == 0
    (record,) = journal.records()
    assert [(epoch["step"], epoch["metrics"]) for epoch in record.facts["epochs"]] == [(1, {"loss": 0.5})]
    assert "epoch 1/2  loss 0.5" in capsys.readouterr().err


def test_what_a_failed_stage_wrote_is_gone_and_the_old_output_stays(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert toy("result.write_text('old')") == 0
    assert toy("result.write_text('half'); raise WinnowError('the size is odd: choose another.')") == 1
    assert Path("data/toy/result.json").read_text() == "old"
    assert capsys.readouterr().err == "winnow: toy: the size is odd: choose another.\n"
    assert list(Path(".winnow/tmp").iterdir()) == []
    assert journal.records()[-1].facts["status"] == "FAILED"
    assert journal.records()[-1].facts["tags"]["failure"] == "the size is odd: choose another."


def test_a_gate_that_says_no_keeps_what_shows_why(toy: Toy) -> None:
    assert toy("result.write_text('why'); raise Refused('no.')") == 1
    assert Path("data/toy/result.json").read_text() == "why"


def test_a_defect_is_one_sentence_and_a_log(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert toy("raise KeyError('x')") == 70
    assert "This is a defect in Winnow; details in .winnow/logs/toy.log." in capsys.readouterr().err
    assert "KeyError" in Path(".winnow/logs/toy.log").read_text()


def test_ctrl_c_is_a_killed_run(toy: Toy) -> None:
    assert toy("raise KeyboardInterrupt") == 130
    assert journal.records()[0].facts["status"] == "KILLED"


def test_a_full_disk_is_named(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert toy("raise OSError(28, 'No space left on device', 'x.npy')") == 1
    assert "No space left on device (x.npy)" in capsys.readouterr().err


def test_what_a_disk_cuts_short_is_told_with_its_place_and_the_old_output_stays(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert toy("result.write_text('old')") == 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for body in ("result.write_bytes(bytes(10**6))", "import numpy; numpy.save(result, numpy.zeros(10**6))"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            assert toy(body) == 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert "while writing the outputs of toy in .winnow/tmp: free some room" in capsys.readouterr().err
    assert Path("data/toy/result.json").read_text() == "old"
    assert list(Path(".winnow/tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("OSError(28, 'No space left on device', 'x')", 1),
        ("PermissionError(13, 'Permission denied', 'x')", 1),
        ("OSError(30, 'Read-only file system', 'x')", 1),
        ("FileNotFoundError(2, 'No such file or directory', 'x')", 1),
        ("OSError(18, 'Invalid cross-device link', 'x')", 1),
        ("OSError(36, 'File name too long', 'x')", 1),
        ("OSError(5, 'Input/output error', 'x')", 75),
        ("ConnectionResetError(104, 'Connection reset by peer')", 75),
        ("TimeoutError('timed out')", 75),
        ("Unavailable('the cluster does not answer: try again.')", 75),
        ("WinnowError('the size is odd: choose another.')", 1),
        ("MemoryError()", 1),
        ("ZeroDivisionError()", 70),
    ],
)
def test_the_exit_code_says_whether_trying_again_may_help(toy: Toy, error: str, code: int) -> None:
    assert toy(f"raise {error}") == code


def test_a_killed_stage_leaves_nothing_that_the_next_run_reads_or_keeps(toy: Toy) -> None:
    assert toy("result.write_text('old')") == 0
    body = "result.write_text('half'); import os; os.kill(os.getpid(), 9)"
    code = f"import sys, types\n{SOURCE.format(body=body)}\nfrom components.core import stage\n" + (
        "sys.modules['components.stages.toy'] = types.SimpleNamespace(Params=Params, run=run)\nstage.main('toy')"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = scratch.abandoned()
    assert (left / "outputs/result.json").read_text() == "half"
    assert Path("data/toy/result.json").read_text() == "old"
    assert toy("assert not result.exists(); result.write_text('new')") == 0
    assert list(Path(".winnow/tmp").iterdir()) == []
    assert Path("data/toy/result.json").read_text() == "new"


def test_an_input_that_is_not_as_recorded_stops_the_stage_before_it_runs(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dvc.lock").write_text(
        "stages: {in: {outs: [{path: data/in/number.json, hash: md5, md5: c4ca4238a0b923820dcc509a6f75849b, size: 1}]}}"
    )
    assert toy("result.write_text('good')") == 0
    Path("data/in/number.json").write_text("2")
    assert toy("raise AssertionError") == 1
    assert "winnow: toy: data/in/number.json is not what in wrote (recorded in dvc.lock)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("Path('data/in/number.json').write_text('2')", "data/in/number.json"),
        ("Path('data/in/number.json').unlink()", "data/in/number.json"),
        ("Path('params.yaml').write_text('seed: 3\\nthreads: 1\\ntoy: {size: 5}')", "toy.size in params.yaml"),
        ("Path('params.yaml').write_text('seed: 4\\nthreads: 1\\ntoy: {size: 2}')", "seed in params.yaml"),
        ("Path('params.yaml').write_text('seed: [')", "params.yaml or dvc.yaml"),
        ("Path('dvc.yaml').write_text(Path('dvc.yaml').read_text().replace('core.stage toy', 'toy'))", "dvc.yaml"),
    ],
)
def test_what_changes_while_a_stage_runs_stops_it_and_nothing_is_published(
    toy: Toy, capsys: pytest.CaptureFixture[str], edit: str, named: str
) -> None:
    assert toy(f"from pathlib import Path; {edit}; result.write_text('new')") == 1
    assert f"winnow: toy: {named} changed while toy ran, so nothing was recorded" in capsys.readouterr().err
    assert not Path("data/toy").exists()
    assert used.saved() == []


def test_a_change_stops_a_long_stage_at_the_end_of_its_epoch(toy: Toy) -> None:
    edit = "from pathlib import Path; Path('data/in/number.json').write_text('2'); report_epoch(1, {}, total=9)"
    assert toy(f"{edit}; raise AssertionError") == 1


def test_what_was_changed_and_changed_back_may_have_been_read_in_between(
    toy: Toy, capsys: pytest.CaptureFixture[str]
) -> None:
    body = "path = number.parent / 'aside'; path.write_text('1'); path.replace(number)"  # as git and editors write
    assert toy(f"{body}; result.write_text('new')") == 1
    assert "data/in/number.json changed while toy ran" in capsys.readouterr().err


def test_settings_of_others_and_settings_changed_back_are_no_change(toy: Toy) -> None:
    body = "from pathlib import Path; path = Path('params.yaml'); text = path.read_text()"
    edits = "path.write_text('seed: 9'); path.write_text(text + 'other: 1\\n')"
    assert toy(f"{body}; {edits}; result.write_text('new')") == 0
    (kept,) = used.saved()
    assert kept.changes() == []
    Path("data/in/number.json").write_text("2")
    assert kept.changes() == ["data/in/number.json"]


def test_a_folder_is_what_it_was_only_with_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.png").write_bytes(b"x")
    before = used._seen(tmp_path)
    assert before.same(tmp_path)
    assert before.untouched(tmp_path)
    (tmp_path / "a/2.png").write_bytes(b"y")
    assert not before.same(tmp_path)
    assert not before.untouched(tmp_path)


def test_a_missing_input_says_how_to_make_it(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    Path("data/in/number.json").unlink()
    assert toy("pass") == 1
    assert "data/in/number.json is missing: run `dvc repro toy`" in capsys.readouterr().err


def test_a_wrong_setting_stops_before_anything_runs(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert toy("raise AssertionError", "{sise: 2}") == 1
    assert "unknown setting toy.sise: did you mean 'size'?" in capsys.readouterr().err
    assert toy("raise AssertionError", "3") == 1
    assert "toy in params.yaml must be a block of settings, not 3." in capsys.readouterr().err


def test_sigterm_ends_a_run_as_killed_within_seconds(tmp_path: Path) -> None:
    code = (
        "import os, time; os.environ['WINNOW_PIPELINE_RUN'] = 'x'\n"
        "from components.core import tracking\n"
        "with tracking.stage_run('toy', key='k', params={}):\n    print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=-3) as child:
        assert child.stdout is not None
        child.stdout.readline()
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=5) != 0
    assert time.monotonic() - began < 5
    (path,) = (tmp_path / journal.RUNS).glob("*/record.json")
    assert '"status": "KILLED"' in path.read_text()
