"""The MLflow pages on the project's own store, on this machine only."""

import os
import socket
import sys

from components.core import tracking


def serve(port: int) -> None:
    """Become the MLflow server: standard output names the address. A remote store has pages of its own."""
    uri = tracking.tracking_uri()
    if uri.startswith("http"):
        print(f"The pages of this project's store are at {uri}.")
        return
    tracking.deliver_or_say()
    tracking.opened()
    chosen = free_port(port)
    print(f"MLflow pages: http://127.0.0.1:{chosen} (Ctrl-C ends them)", flush=True)
    os.environ["PYTHONWARNINGS"] = "ignore"  # of the server about its own parts
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # two processes instead of eight
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", "127.0.0.1"]
    more = ["--port", str(chosen), "--workers", "1", "--uvicorn-opts", "--log-level warning"]
    os.execv(sys.executable, [*command, *more])  # noqa: S606 - no shell is wanted


def free_port(wanted: int) -> int:
    """`wanted`, or the first free port of this machine after it."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    return wanted
