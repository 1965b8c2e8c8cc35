"""What would stop or slow a run, found before it starts: the machine, the disk, permissions, servers, surroundings."""

import os
import shutil
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.core import tracking
from components.core.machine import OBJECT_STORE, SHARED_MEMORY, free_memory, free_shared_memory, processors
from components.core.secrets import without_secrets
from pipelines.concern import Concern
from pipelines.preflight_environment import surroundings

GIB = 2**30
MEMORY = GIB  # of the pipeline and one stage with its libraries
MEMORY_OF_RAY = GIB // 2
MEMORY_OF_A_WORKER = GIB  # each loads the libraries anew
LEDGER_ROWS = 8  # bytes for each of the ledger's while its rows are put in order beside those in force
DISK = GIB // 2  # what a run writes besides the sample store, in workspace and cache
COPIES = 3  # of the sample store while ingest runs: the spool, the store, DVC's cache
SECONDS = 1.0  # for a server to take a connection
LEDGER = Path("data/labels/ledger.csv")
SAMPLES = Path("data/ingest/samples.npy")
READ = ("data/raw", "data/labels", "data/weights")  # by the stages, which write nothing there
WRITTEN = ("data", ".winnow", ".dvc", "dvc.lock")


def concerns(params: dict[str, Any], *, with_prefect: bool = False) -> list[Concern]:
    """Everything found, without importing a library or reading data. Settings of a wrong type are passed over.

    with_prefect: whether the run needs the server at `PREFECT_API_URL`, where that is set.
    """
    block = params.get("pretrain")
    pretrain = block if isinstance(block, dict) else {}
    here = 0 if pretrain.get("ray_address") else _count(pretrain.get("workers"))  # workers on this machine
    return [
        *surroundings(with_prefect=with_prefect),
        *_processors(here, _count(params.get("threads"))),
        *_memory(here),
        *(_shared_memory() if here else []),
        *_disk(),
        *_permissions(),
        *_tracking(),
        *(_server("PREFECT_API_URL", os.environ.get("PREFECT_API_URL", "")) if with_prefect else []),
    ]


def _processors(workers: int, threads: int) -> list[Concern]:
    there = processors()
    if workers > there:
        cure = "lower it, or name a cluster in pretrain.ray_address."
        return [Concern(f"pretrain.workers is {workers}, but this machine has {there} processors: {cure}")]
    if threads > there:  # equal bytes may be wanted of another machine's thread count, so this is allowed
        slow = f"threads is {threads}, but this machine has {there} processors: lower it, or training is slow."
        return [Concern(slow, stops=False)]
    return []


def _memory(workers: int) -> list[Concern]:
    free, wanted = free_memory(), MEMORY + (MEMORY_OF_RAY + workers * MEMORY_OF_A_WORKER if workers else 0)
    wanted += LEDGER_ROWS * LEDGER.stat().st_size if LEDGER.is_file() else 0
    if free is None or free >= wanted:
        return []
    cure = "lower pretrain.workers (0 trains without Ray)" if workers else "end other programs"
    return [Concern(f"{_size(free)} of memory are free, and a run needs about {_size(wanted)}: {cure}.")]


def _shared_memory() -> list[Concern]:
    free = free_shared_memory()
    if free is None or free >= OBJECT_STORE:
        return []
    cure = f"give the container --shm-size={2 * OBJECT_STORE >> 20}m, or set pretrain.workers to 0"
    text = f"{SHARED_MEMORY} has {_size(free)} free, and Ray wants {_size(OBJECT_STORE)} (it uses the disk instead)"
    return [Concern(f"{text}: {cure}.", stops=False)]


def _disk() -> list[Concern]:
    free = shutil.disk_usage(Path()).free
    wanted = DISK + (COPIES * SAMPLES.stat().st_size if SAMPLES.is_file() else 0)
    if free >= wanted:
        return []
    cure = "free some room; `dvc gc --workspace` drops cached versions that nothing here needs"
    return [Concern(f"{_size(free)} are free on the disk of {Path.cwd()}, and a run needs {_size(wanted)}: {cure}.")]


def _permissions() -> list[Concern]:
    closed = [name for name in WRITTEN if not os.access(_nearest(Path(name)), os.W_OK)]
    closed += [path.as_posix() for path in sorted(Path("data").glob("*/")) if not os.access(path, os.W_OK)]
    return [
        Concern(f"{name} cannot be written: `chmod -R u+w {name}`, or run as the user who owns it.")
        for name in closed
        if name not in READ
    ]


def _nearest(path: Path) -> Path:
    """The path, or the folder that it would be made in."""
    return path if path.exists() else path.parent


def _tracking() -> list[Concern]:
    uri = tracking.tracking_uri()
    if uri.startswith("http"):
        return _server(tracking.URI, uri)
    path = tracking.database()
    if path is None or os.access(_nearest(path), os.R_OK | os.W_OK):
        return []
    return [Concern(f"{path}, where MLflow keeps its runs, cannot be written: `chmod u+rw {path}`.")]


def _server(variable: str, url: str) -> list[Concern]:
    if not url:
        return []
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        with socket.create_connection((parts.hostname or "", port), timeout=SECONDS):
            return []
    except (OSError, ValueError) as error:
        shown = without_secrets(url)
        return [Concern(f"{variable} is {shown}, where nothing answers ({error}): start that server, or unset it.")]


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _size(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"
