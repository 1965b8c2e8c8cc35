"""An application on a port of this machine alone: the port is ours before its address is said, and a stop is clean."""

import errno
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from components.core.errors import WinnowError
from components.core.signals import stoppable
from pipelines.loopback_only import App, LoopbackOnly

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
TRIED = 100  # ports
LAST = 65535
REST = 10.0  # seconds in which what was said last can be taken back


def listening(wanted: int) -> socket.socket:
    """A socket that listens on port `wanted`, or on the first free one after it.

    Raises WinnowError where there is none, or this user may not have it.
    """
    last = min(wanted + TRIED - 1, LAST)
    for port in range(wanted, last + 1):
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
            door.listen()
        except OSError as error:
            door.close()
            if error.errno != errno.EADDRINUSE:
                raise WinnowError(f"port {port} is refused ({error.strerror}): choose another with --port.") from None
        else:
            return door
    raise WinnowError(f"no port from {wanted} to {last} is free: choose another with --port.")


def free_port(wanted: int) -> int:
    """Such a port for a process that is yet to start. Raises WinnowError as `listening` does."""
    with listening(wanted) as door:
        return int(door.getsockname()[1])


def answer(app: App, door: socket.socket, over: Callable[[], bool] | None = None) -> None:
    """Answer at `door`, this machine's programs and the application's own pages alone, until `over` has said so for a
    while (`REST` seconds; without it, for ever).

    Raises KeyboardInterrupt when Ctrl-C or SIGTERM has ended it.
    """
    import uvicorn

    guarded = LoopbackOnly(app, door.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(guarded, log_level="warning"))
    if over is not None:
        threading.Thread(target=_end, args=(server, over), daemon=True).start()
    with stoppable():
        server.run(sockets=[door])


def _end(server: "uvicorn.Server", over: Callable[[], bool]) -> None:
    since = time.monotonic()
    while time.monotonic() - since < REST:
        time.sleep(min(1.0, REST / 4))
        if not over():
            since = time.monotonic()
    server.should_exit = True
