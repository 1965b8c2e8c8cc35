"""Workers that find each other without a door to the network, where all of them run on this machine."""

import os
import socket
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from ray.train.backend import BackendConfig
from ray.train.torch.config import TorchConfig, _set_torch_distributed_env_vars, _TorchBackend

GPU, PROCESSOR = "nccl", "gloo"
LOOPBACKS = ("lo", "lo0")  # Linux; macOS


class OneMachine(TorchConfig):
    """Ray's torch settings for workers of one machine, which meet in a file of `folder`.

    Ray's own way is a store of torch's that takes connections from every network, without a word of who may come in.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = str(folder)

    @property
    def backend_cls(self) -> type[_TorchBackend]:
        """What starts and ends the group of workers."""
        return _Meeting


class _Meeting(_TorchBackend):
    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        import ray

        assert isinstance(backend_config, OneMachine)
        size = len(worker_group)
        backend = GPU if worker_group.get_resources_per_worker().get("GPU", 0) > 0 else PROCESSOR
        worker_group.execute(_set_torch_distributed_env_vars)
        # new at every start: a file that a dead group met in would keep the next one waiting for its members
        meeting = {"folder": tempfile.mkdtemp(dir=backend_config.folder), "backend": backend, "size": size}
        ray.get([worker_group.execute_single_async(one, _join, number=one, **meeting) for one in range(size)])


def _join(folder: str, backend: str, size: int, number: int) -> None:
    from torch import distributed

    os.environ.update(GLOO_SOCKET_IFNAME=loopback(), NCCL_SOCKET_IFNAME=loopback())
    wait = timedelta(seconds=TorchConfig.timeout_s)
    distributed.init_process_group(backend, f"file://{folder}/workers", wait, size, number)


def loopback() -> str:
    """The name of the network interface that reaches this machine alone."""
    return next(name for _, name in socket.if_nameindex() if name in LOOPBACKS)
