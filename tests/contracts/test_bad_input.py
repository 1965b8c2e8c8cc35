"""Bad settings and bad data end in one sentence that says what to do; docs/bad_input.md lists them as they are said.

`python tests/contracts/test_bad_input.py` writes the page anew.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from bad_input_cases import CASES, SECTIONS
from bad_input_cases.case import COLUMNS, HOME, RULE_COLUMNS, RULES, Case, save

from components.core import journal, stage, tracking
from components.core.config import read_params
from components.core.dag import CODE
from components.core.errors import WinnowError
from components.core.model_versions import Version
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.models.encoder_file import EncoderSpec, build_encoder
from components.stages import code as code_stage
from pipelines import cli, predict
from pipelines.settings import check_settings
from tests.contracts.made_up import known

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bad_input.md"
REAL = {"winnow summary", "winnow repro --from lable", "winnow reproduce"}
SPEC = {"name": "small_resnet", "channels": 1, "image_size": 8, "dim": 128, "mean": [0.5], "std": [0.25]}
JARGON = ("Traceback", "defect", "Input should", "NoneType", "object has no", "KeyError", "Errno", "pydantic", "/tmp/")
HEAD = """# What Winnow says to bad input

Every row is done for real by `tests/contracts/test_bad_input.py`, which fails when a sentence here is no longer the one
that is said; `make bad-input` writes this page anew. Exit code 0: the work goes on, and says what it left out.
"""


@contextlib.contextmanager
def projects() -> Iterator[Path]:
    """A project of 3 classes with 36 pictures, read and embedded, and an empty MLflow store; the current folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "die_with_parent", lambda: None)
        patch.setattr(os, "sched_getaffinity", lambda _: {0, 1})  # what the sentences say of this machine
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "WINNOW_STAGE_KEY"):
            patch.setenv(name, "1")
        patch.setenv(journal.PARENT, "someone")  # so that no stage talks to MLflow
        patch.delenv(tracking.URI, raising=False)
        base = Path(home) / "base"
        base.mkdir()
        os.chdir(base)
        _build()
        yield base
        os.chdir(before)
        tracking._client = None


def _build() -> None:
    for name in ("dvc.yaml", "components"):
        Path(name).symlink_to(ROOT / name)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["ingest"]["source"] = str(HOME)
    params["label"]["budget"] = 12
    Path("params.yaml").write_text(yaml.safe_dump(params))
    for number in range(36):
        half = "test" if number % 4 == 3 else "train"
        save(HOME / half / ("cat", "dog", "emu")[number % 3] / f"{number}.jpg", number)
    Path("data/labels/synthetic").mkdir(parents=True)
    Path("data/weights").mkdir()
    Path("data/labels/ledger.csv").write_text(COLUMNS)
    RULES.write_text(RULE_COLUMNS)
    with contextlib.redirect_stderr(io.StringIO()):
        assert stage.main("code") == 0
        assert stage.main("ingest") == 0
    for name, content in (("embed", "embeddings.npy"), ("validate", "verdict.json")):
        Path("data", name).mkdir()
        Path("data", name, content).write_text('{"success": true}')
    np.save("data/embed/embeddings.npy", np.random.default_rng(0).normal(size=(36, 8)).astype(np.float32))
    tracking.opened()
    torch.manual_seed(0)
    spec = ClassifierSpec(encoder=EncoderSpec.model_validate(SPEC), classes=["cat", "dog"], method="full")
    save_classifier(Path("model.safetensors"), Classifier(build_encoder(spec.encoder), torch.nn.Linear(128, 2), spec))


def outcome(case: Case, base: Path) -> tuple[str, int]:
    """What is said, and the exit code, in a fresh copy of the project."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        project = Path(home) / "project"
        shutil.copytree(base, project, symlinks=True)
        patch.chdir(project)
        Path("dvc.yaml").unlink()
        shutil.copyfile(ROOT / "dvc.yaml", "dvc.yaml")
        tracking._client = None
        params = yaml.safe_load(Path("params.yaml").read_text())
        for name, value in case.settings.items():
            _put(params, name, value)
        Path("params.yaml").write_text(yaml.safe_dump(params))
        if case.champion:
            patch.setattr(predict, "find", lambda name, wanted: Version(name, 1, "", ""))
            patch.setattr(predict, "load_version", lambda version: load_classifier(Path("model.safetensors")))
        with contextlib.redirect_stderr(io.StringIO()):
            case.do()
        said = io.StringIO()
        kinds = known() if case.made_up else contextlib.nullcontext()
        with kinds, contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = _run(case.command, patch)
        return _sentence(said.getvalue()), code


def _put(params: dict[str, object], name: str, value: object) -> None:
    *blocks, last = name.split(".")
    for block in blocks:
        params = params[block]  # type: ignore[assignment]
    if value is ...:
        del params[last]
    else:
        params[last] = value


def _run(command: str, patch: pytest.MonkeyPatch) -> int:
    if command == "settings":
        try:
            check_settings()
        except WinnowError as error:
            print(f"winnow: {error}", file=sys.stderr)
            return 1
        return 0
    if not command.startswith("winnow"):
        with contextlib.suppress(WinnowError):  # settings that cannot be read are the stage's to tell of
            outputs = {command: CODE / f"{command}.json"}  # as DVC runs it before
            code_stage.run(params=code_stage.Params(), settings=read_params(), **outputs)
        return stage.main(command)
    arguments = command.split()[1:]
    if command in REAL:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        program = [sys.executable, "-m", "pipelines.cli", *arguments]
        done = subprocess.run(program, capture_output=True, text=True, check=False, env=environment)
        print(done.stderr, file=sys.stderr)
        return done.returncode
    patch.setattr(sys, "argv", ["winnow", *arguments])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _sentence(text: str) -> str:
    """What was said, without the program's name, usage hints and the box around them."""
    lines = [line.strip().removeprefix("winnow: ") for line in text.splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(("Usage:", "Try ", "epoch ")))


def row(case: Case, said: str, code: int) -> str:
    """One line of the page."""
    command = "`winnow repro`" if case.command == "settings" else f"`{case.command}`"
    text = said.removeprefix(f"{case.command}: ").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    return f"| {case.done} | {command} | {text} | {code} |"


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    with projects() as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=[case.done for case in CASES])
def test_bad_input_ends_in_a_sentence_that_helps(case: Case, base: Path) -> None:
    said, code = outcome(case, base)
    assert code == case.code, said
    assert case.says in said
    assert not [word for word in JARGON if word in said]
    assert row(case, said, code) in PAGE.read_text(encoding="utf-8").splitlines(), "run `make bad-input`"


def test_the_page_lists_every_case_and_nothing_else() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    listed = [line.split(" | ")[0].removeprefix("| ") for line in rows if not line.startswith("| What was done")]
    assert listed == [case.done for case in CASES]
    assert len(set(listed)) == len(listed) >= 45


def write_page() -> None:
    """Do every case and write docs/bad_input.md."""
    parts = [HEAD]
    with projects() as made:
        for title, cases in SECTIONS.items():
            rows = [row(case, *outcome(case, made)) for case in cases]
            parts.append(
                "\n".join(
                    [f"\n## {title}\n", "| What was done | Where | What it says | Exit |", "|---|---|---|---|", *rows]
                )
            )
    PAGE.write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_page()
