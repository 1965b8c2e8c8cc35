"""An application on a port of this machine alone: the port is ours before its address is said, and a stop is clean."""

import errno
import socket

from components.core.errors import WinnowError
from components.core.signals import stoppable
from pipelines.loopback_only import App, LoopbackOnly

HOST = "127.0.0.1"
TRIED = 100  # ports
LAST = 65535


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


def answer(app: App, door: socket.socket) -> None:
    """Answer at `door`, this machine's programs and the application's own pages alone.

    Raises KeyboardInterrupt when Ctrl-C or SIGTERM has ended it.
    """
    import uvicorn

    guarded = LoopbackOnly(app, door.getsockname()[1])
    with stoppable():
        uvicorn.Server(uvicorn.Config(guarded, log_level="warning")).run(sockets=[door])
