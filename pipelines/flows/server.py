"""Which Prefect server a run talks to: the team's, this project's own while it is up, or one for the run alone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from components.core.addresses import part_with_users
from components.core.environment import make_home, prepare
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.lock import held, locked
from components.core.secrets import without_secrets
from components.core.signals import die_with_parent, stoppable
from pipelines.local_server import free_port
from pipelines.loopback_only import LoopbackOnly
from pipelines.preflight_environment import unusable_proxies

API = "PREFECT_API_URL"
HOME = Path(".winnow/prefect")
NOTE = HOME / "server.json"
PORT = 4200
PATIENCE = 900.0  # seconds for a server to start: its first start takes half a minute of a processor that others share
SLOW = 20.0  # seconds after which a person is told what is waited for
SETTINGS = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # what a person reads here, the stages say themselves
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(int(PATIENCE)),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}


def connect() -> str:
    """Set the environment for Prefect, before it is imported; returns the server's address, empty if there is none.

    `PREFECT_API_URL` or the user's Prefect profile decide; else the server that `winnow schedule` or `winnow flows`
    keeps up for this folder. Own servers share the project's store.
    """
    for concern in unusable_proxies():  # Prefect's client does not even begin
        raise WinnowError(concern.text)
    make_home()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    address = os.environ.get(API) or _profile_address() or running()
    if not address:
        os.environ.setdefault("PREFECT_API_DATABASE_CONNECTION_URL", _store())
        return ""
    os.environ[API] = address
    part_with_users()  # a profile's address may have one
    _check(os.environ[API])
    return os.environ[API]


def for_one_run(*, pages: bool = False) -> str:
    """The address of the server that `connect` finds; else empty, and one is up as long as this process, with `pages`
    where a person shall answer on them.

    Prefect would start one by itself, but that outlives a process that is killed. Nothing stops ours but the end of
    this process: at its exit Prefect still sends its last log lines.
    """
    if address := connect():
        return address
    port = _any_port()
    own = f"http://127.0.0.1:{port}/api"
    _wait_for(own, _start(port, "pages" if pages else "bare"))
    os.environ[API] = own
    return ""


@contextmanager
def serving(port: int = PORT) -> Iterator[str]:
    """The address of a Prefect server with its pages: the one `connect` finds, or one that ends with the block."""
    if address := connect():
        yield address
        return
    busy = "process {pid} is already starting a Prefect server here."
    with locked(HOME / "server.lock", wait=0, busy=busy), _up(free_port(port), "pages") as address:
        try:
            write_text(NOTE, json.dumps({"address": address}) + "\n")
            os.environ[API] = address
            yield address
        finally:
            NOTE.unlink(missing_ok=True)


def show(port: int) -> None:
    """Keep the pages up until stopped; a server that is up already is only named."""
    if address := connect():
        print(f"Prefect pages: {address.removesuffix('/api')}")
        return
    with stoppable(), serving(port) as address:
        print(f"Prefect pages: {address.removesuffix('/api')} (Ctrl-C ends them)", flush=True)
        signal.pause()


def running() -> str:
    """The address of the server that `winnow schedule` or `winnow flows` keeps up for this folder; else empty."""
    if not held(HOME / "server.lock") or not NOTE.is_file():
        return ""
    address = str(json.loads(NOTE.read_text(encoding="utf-8"))["address"])
    return address if _healthy(address) else ""


@contextmanager
def _up(port: int, kind: str) -> Iterator[str]:
    """The address of a new server, `bare` or with `pages`, that answers; it ends with the block or this process."""
    address = f"http://127.0.0.1:{port}/api"
    child = _start(port, kind)
    try:
        _wait_for(address, child)
        yield address
    finally:
        _stop(child)


def _start(port: int, kind: str) -> "subprocess.Popen[bytes]":
    HOME.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PREFECT_UI_API_URL": "/api", "PYTHONWARNINGS": "ignore"}  # by whatever name opened
    command = [sys.executable, "-m", "pipelines.flows.server", str(port), kind]
    with (HOME / "server.log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, process_group=0)


def _any_port() -> int:
    """A port that nobody else is given: two runs may start at the same moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, child: "subprocess.Popen[bytes]") -> None:
    """Until it answers. Raises WinnowError where it ended, and where it is still silent after a long time."""
    began, said = time.monotonic(), False
    while not _healthy(address):
        waited = time.monotonic() - began
        if child.poll() is not None:
            raise WinnowError(f"the Prefect server did not start: {HOME / 'server.log'} says why.")
        if waited > PATIENCE:
            cure = "end other programs and run it again, or run `winnow repro`, which needs no Prefect"
            raise WinnowError(f"the Prefect server has not answered for {PATIENCE / 60:.0f} minutes: {cure}.")
        if waited > SLOW and not said:
            print("winnow: waiting for the Prefect server to start.", file=sys.stderr)
            said = True
        time.sleep(0.3)


def _stop(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _healthy(address: str) -> bool:
    handlers = [urllib.request.ProxyHandler({})] if _is_here(address) else []  # a proxy knows nothing of this machine
    try:
        with urllib.request.build_opener(*handlers).open(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except HTTPError as refused:  # a server that wants to know who asks is there
        return refused.code in (401, 403)
    except (OSError, ValueError, HTTPException):  # nobody there, no address, no HTTP
        return False


def _is_here(address: str) -> bool:
    return (urlsplit(address).hostname or "") in ("127.0.0.1", "localhost", "::1")


def _check(address: str) -> None:
    if not _healthy(address):
        raise WinnowError(
            f"{API} is {without_secrets(address)}, where no Prefect server answers: start that server, or unset it."
        )


def _profile_address() -> str:
    """The address in the user's active Prefect profile. Read here: Prefect, once imported, keeps what it found then."""
    home = Path(os.environ.get("PREFECT_HOME", Path.home() / ".prefect"))
    path = Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml"))
    if not path.is_file():
        return ""
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
        active = os.environ.get("PREFECT_PROFILE", profiles.get("active", ""))
        return str(profiles.get("profiles", {}).get(active, {}).get(API, ""))
    except ValueError as error:
        raise WinnowError(f"{path} is not valid TOML ({error}): mend it, or remove it.") from None
    except (AttributeError, TypeError):  # a list or a text where a table belongs
        raise WinnowError(f"{path} is not laid out as Prefect's profiles are: mend it, or remove it.") from None


def _store() -> str:
    """Relative to the workspace where the folder's name holds a `?`, which would end the path (see `tracking_uri`)."""
    HOME.mkdir(parents=True, exist_ok=True)
    path = (HOME / "prefect.db").absolute()
    return f"sqlite+aiosqlite:///{HOME / 'prefect.db' if '?' in str(path) else path}"


def _serve(port: int, kind: str) -> None:
    """Be Prefect's own application, its scheduler and, with `pages`, its pages, behind the guard."""
    pages = "true" if kind == "pages" else "false"
    os.environ |= {
        "PREFECT_SERVER_UI_ENABLED": pages,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}",
    }
    import uvicorn
    from prefect.server.api.server import create_app

    app = LoopbackOnly(create_app(final=True), port)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":  # the server's own process, which ends when whoever started it does
    die_with_parent()
    prepare()
    _serve(int(sys.argv[1]), sys.argv[2])
