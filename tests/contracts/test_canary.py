"""Secrets in eight places, a stage through the real runner: none is printed or written, and the server still gets it.

`python -m benchmarks.canary` does the same with the whole pipeline, every command and two real servers.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from bad_input_cases.case import save

from components.core.code import digests

ROOT = Path(__file__).resolve().parents[2]
WORD = "C4n4ry"
USER, PASSWORD = f"{WORD}1@corp", f"{WORD}2/pass w@rd"


class Echo(BaseHTTPRequestHandler):
    """A server that says no, and in its answer all it was told."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        body = f"no entry for http://{USER}:{PASSWORD}@127.0.0.1/?token={WORD}3 with {WORD}4-token".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Echo.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def _project(place: Path) -> dict[str, object]:
    for name in ("dvc.yaml", "components"):
        (place / name).symlink_to(ROOT / name)
    for number in range(8):
        save(place / "data/raw/pictures" / ("cat", "dog")[number % 2] / f"{number}.jpg", number)
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    subprocess.run(["git", "remote", "add", "origin", f"https://{WORD}5@github.com/a/b.git"], cwd=place, check=True)
    params: dict[str, object] = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["ingest"] = {"source": "data/raw/pictures"}
    (place / "data/code").mkdir()
    (place / "data/code/ingest.json").write_text(json.dumps(digests("ingest", params, ROOT)))
    return params


def _run(place: Path, params: dict[str, object], port: int) -> subprocess.CompletedProcess[str]:
    (place / "params.yaml").write_text(yaml.safe_dump(params))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")},
        "MLFLOW_TRACKING_URI": f"http://{USER}:{PASSWORD}@127.0.0.1:{port}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "SOME_TOKEN": f"{WORD}4-token",
        "PREFECT_API_URL": f"http://me:{WORD}6@127.0.0.1:9/api",
        "https_proxy": f"http://me:{WORD}7@127.0.0.1:9",
        "no_proxy": "127.0.0.1",
    }
    command = [sys.executable, "-m", "components.core.stage", "ingest"]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def test_no_secret_is_printed_or_written(tmp_path: Path, server: ThreadingHTTPServer) -> None:
    params = _project(tmp_path)
    done = _run(tmp_path, params, server.server_port)
    assert done.returncode == 0, done.stderr
    assert "is not lost" in done.stderr  # the server's words were passed on
    assert f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}" in Echo.seen
    refused = _run(tmp_path, {**params, "pretrain": {"ray_address": f"ray://me:{WORD}8@head:1"}}, server.server_port)
    assert refused.returncode == 1
    assert "pretrain.ray_address in params.yaml holds a password" in refused.stderr
    assert WORD not in done.stdout + done.stderr + refused.stdout + refused.stderr
    own = {tmp_path / ".git/config", tmp_path / "params.yaml"}
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path not in own]
    assert any(path.name == "record.json" for path in files)
    assert [path for path in files if WORD.encode() in path.read_bytes()] == []
