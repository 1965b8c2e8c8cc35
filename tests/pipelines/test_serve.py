"""`winnow serve`, really started: its own line asks it, it answers as `winnow predict` does, and nothing stays."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.core import tracking
from components.core.mlmodel import EXAMPLE
from components.core.model_versions import find
from components.core.version_files import HOME, fetch
from pipelines import cli, local_server
from pipelines.local_server import listening
from tests.stages.registered_world import CLASSES, ROOT, register_model, write_data, write_model, write_predictions

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """The current folder: a project whose version 1 is the champion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("my project"))
        for name in (tracking.URI, "WINNOW_PIPELINE_RUN"):
            patch.delenv(name, raising=False)
        tracking._client = None
        shutil.copyfile(empty_store, "mlflow.db")
        write_data()
        write_model(0, CLASSES)
        write_predictions(1.0, CLASSES)
        register_model({})
        yield Path.cwd()
    tracking._client = None


@dataclass
class Served:
    process: "subprocess.Popen[str]"
    port: int
    taken: int
    question: list[str]


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[Served]:
    """A server that was told a port on which somebody else listens."""
    with listening(20_000 + os.getpid() % 20_000) as other:
        taken = other.getsockname()[1]
        command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(taken)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as it:
            try:
                yield _begun(it, taken)
            finally:
                it.kill()


def _begun(process: "subprocess.Popen[str]", taken: int) -> Served:
    assert process.stdout is not None
    assert process.stderr is not None
    says, question = process.stdout.readline(), process.stdout.readline()
    assert says.startswith("winnow version 1: http://127.0.0.1:"), process.stderr.read()
    port = int(says.split("/invocations")[0].rpartition(":")[2])
    return Served(process, port, taken, shlex.split(question.partition("try it: ")[2]))


def test_a_taken_port_is_left_to_whoever_has_it(served: Served) -> None:
    assert served.taken < served.port < served.taken + local_server.TRIED


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl, which is not part of the project")
def test_the_line_that_it_prints_gets_what_predict_says(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = subprocess.run([*served.question, "--silent", "--show-error"], cwd="/", capture_output=True, check=True)
    pictures = np.array(json.loads((fetch(find("winnow", 1)).parents[1] / EXAMPLE).read_text())["inputs"], np.uint8)
    files = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for file, pixels in zip(files, pictures, strict=True):
        Image.fromarray(pixels[..., 0]).save(file)
    assert _winnow(monkeypatch, "predict", "--json", *map(str, files)) == 0
    said = [json.loads(line)["probabilities"] for line in capsys.readouterr().out.splitlines()]
    answers = json.loads(asked.stdout)["predictions"]
    assert len(answers) == len(files) > 1
    np.testing.assert_allclose(answers, [[row[name] for name in CLASSES] for row in said], atol=1e-6)


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_another_page_is_not_answered(served: Served, header: dict[str, str]) -> None:
    address = f"http://127.0.0.1:{served.port}/ping"
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(address, headers=header), timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the children of a process")
def test_it_is_one_process_so_that_none_is_left_when_it_is_killed(served: Served) -> None:
    children = [path.read_text() for path in Path(f"/proc/{served.process.pid}/task").glob("*/children")]
    assert set(children) == {""}


def test_asked_to_stop_it_says_so_and_gives_the_port_back(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    _, said = served.process.communicate(timeout=60)
    assert (served.process.returncode, said) == (130, "winnow: stopped.\n")
    with listening(served.port) as door:
        assert door.getsockname()[1] == served.port


@pytest.mark.parametrize("command", ["serve", "predict FILE --version", "promote"])
@pytest.mark.parametrize("wanted", ["2", "9" * 5000, "²", "nobody", ""])
def test_a_version_that_is_none_is_a_sentence(
    project: Path, command: str, wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _winnow(monkeypatch, *command.split(), wanted) == 1
    said = capsys.readouterr().err
    assert "has no version" in said or "VERSION is a number" in said
    assert said.count("\n") == 1
    assert len(said) < 300


def test_a_version_that_is_not_what_was_registered_does_not_serve(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = fetch(find("winnow", 1))
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert _winnow(monkeypatch, "serve") == 1
    assert "is not what was registered (its sha256 differs)" in capsys.readouterr().err
    shutil.rmtree(HOME)


@pytest.mark.parametrize("port", ["0", "-1", "65536", "9" * 5000, "http"])
@pytest.mark.parametrize("command", ["serve", "ui", "flows"])
def test_what_is_no_port_is_refused(
    project: Path, command: str, port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _winnow(monkeypatch, command, "--port", port) == 2
    assert "--port" in capsys.readouterr().err


def test_where_every_port_is_taken_another_is_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_server, "TRIED", 1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))  # taken, though nobody answers there
        port = str(other.getsockname()[1])
        assert _winnow(monkeypatch, "serve", "--port", port) == 1
    assert capsys.readouterr().err == f"winnow: no port from {port} to {port} is free: choose another with --port.\n"


def _winnow(patch: pytest.MonkeyPatch, *arguments: Any) -> int | str | None:
    patch.setattr(sys, "argv", ["winnow", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code
