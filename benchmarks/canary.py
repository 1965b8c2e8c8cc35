"""Secrets in eleven places, a whole short run under both servers, every command: where is one printed or written?

`python -m benchmarks.canary`: the run is tracked by a real MLflow server that asks for user and password, and driven by
a real Prefect server that does; then the terminal and every file of the project, its servers and its home are searched.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from benchmarks._pipeline import project_copy
from benchmarks.kills import with_workers

WORD = "C4n4ry"
USER, PASSWORD = f"{WORD}1@corp", f"{WORD}2/pass w@rd"
OWN = {".dvc/config", ".git/config", "benchmarks/canary.py", "tests/contracts/test_canary.py"}  # where they were put
REFUSED = {  # settings that must not hold a secret, each with its sentence
    "pretrain.ray_address": f"ray://me:{WORD}3@head:10001",
    "pretrain.weights": f"https://host/weights.pth?sig={WORD}4",
    "ingest.source": f"s3://{WORD}5@bucket/pictures",
}
COMMANDS = ("repro", "run --from register", "status", "summary", "doctor", "ui", "flows", "promote 99", "repro --debug")
MLFLOW = """
import base64, sys, uvicorn
from mlflow.server.fastapi_app import app
async def guarded(scope, receive, send):
    known = (b"authorization", b"Basic " + base64.b64encode(sys.argv[2].encode())) in scope.get("headers", ())
    if scope["type"] == "lifespan" or known or scope["path"] == "/health":
        return await app(scope, receive, send)
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"who are you?"})
uvicorn.run(guarded, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def main() -> None:
    """Print how many commands ran, how many files were searched, and each place in which a secret was found."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        place = project_copy(home / "project", **with_workers(0))
        ports = [_port(), _port()]
        servers = _servers(home, *ports)
        try:
            _wait(servers[0], f"http://127.0.0.1:{ports[0]}/health", "")
            _wait(servers[1], f"http://127.0.0.1:{ports[1]}/api/health", f"me:{WORD}8")
            terminal, codes = _commands(place, _environment(home, place, *ports))
        finally:
            for server in servers:
                server.terminate()
                server.wait()
        own = {place / name for name in OWN}
        files = [path for path in home.rglob("*") if path.is_file() and path not in own]
        found = sorted(str(path.relative_to(home)) for path in files if WORD.encode() in path.read_bytes())
        said = [line for line in terminal.splitlines() if WORD in line]
    print(json.dumps({"commands": codes, "files": len(files), "in_files": found, "on_the_terminal": said}, indent=2))


def _commands(place: Path, environment: dict[str, str]) -> tuple[str, dict[str, int]]:
    """All that the commands printed, and their exit codes."""
    codes, terminal = {}, []
    params = yaml.safe_load((place / "params.yaml").read_text())
    settings: list[tuple[str, str]] = [*((command, "") for command in COMMANDS), *(("repro", name) for name in REFUSED)]
    for command, setting in settings:
        changed = json.loads(json.dumps(params))
        if setting:
            block, name = setting.split(".")
            changed[block][name] = REFUSED[setting]
        (place / "params.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *command.split()],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        codes[f"{command} {setting}".strip()] = done.returncode
        terminal.append(done.stdout)
        print(f"== winnow {command} {setting}: {done.returncode}\n{done.stdout[-600:]}", file=sys.stderr, flush=True)
    (place / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return "\n".join(terminal), codes


def _environment(home: Path, place: Path, mlflow: int, prefect: int) -> dict[str, str]:
    for line in (["init", "-q"], ["remote", "add", "origin", f"https://{WORD}6@github.com/a/b.git"], ["add", "."]):
        subprocess.run(["git", *line], cwd=place, check=True)
    config = place / ".dvc/config"
    remote = f"['remote \"far\"']\n    url = http://me:{WORD}7@127.0.0.1:9/x\n    verify = true\n"
    config.write_text(config.read_text() + remote)
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(place),
        "HOME": str(home / "home"),
        "MLFLOW_TRACKING_URI": f"http://{USER}:{PASSWORD}@127.0.0.1:{mlflow}",
        "PREFECT_API_URL": f"http://me:{WORD}8@127.0.0.1:{prefect}/api",
        "MLFLOW_S3_ENDPOINT_URL": f"http://key:{WORD}9@127.0.0.1:9",
        "https_proxy": f"http://me:{WORD}10@127.0.0.1:9",
        "no_proxy": "127.0.0.1,localhost",
        "SOME_TOKEN": f"{WORD}11",
    }


def _servers(home: Path, mlflow: int, prefect: int) -> list["subprocess.Popen[bytes]"]:
    (home / "home").mkdir()
    (home / "mlflow").mkdir()
    (home / "prefect").mkdir()
    stores = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{home}/mlflow/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(home / "mlflow/artifacts"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PREFECT_SERVER_API_AUTH_STRING": f"me:{WORD}8",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home}/prefect/prefect.db",
        "PYTHONPATH": str(Path.cwd()),
        "HOME": str(home / "home"),
    }
    lines = [["-c", MLFLOW, str(mlflow), f"{USER}:{PASSWORD}"], ["-m", "pipelines.flows.server", str(prefect), "pages"]]
    started = []
    for name, line in zip(("mlflow", "prefect"), lines, strict=True):
        with (home / f"{name}.log").open("wb") as log:
            command = [sys.executable, *line]
            started.append(
                subprocess.Popen(command, cwd=home / name, env={**os.environ, **stores}, stdout=log, stderr=log)
            )
    return started


def _wait(server: "subprocess.Popen[bytes]", address: str, user: str) -> None:
    """Until the server answers, however long that takes on a crowded machine."""
    request = urllib.request.Request(
        address, headers={"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"}
    )
    while server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"the server of {address} has ended")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
