"""Checkpoints of a training run: one per epoch, proven by a hash that is written last, gone when the stage is done."""

import contextlib
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fsspec  # type: ignore[import-untyped]
import safetensors.torch
from torch import Tensor

from components.core.errors import Unavailable

SCHEMA = 1
KEPT = 2  # the newest may be damaged
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """The state after `epoch`: tensors by name, and the history's rows so far."""

    epoch: int
    tensors: dict[str, Tensor]
    history: list[dict[str, float]]


class CheckpointStore:
    """A folder of checkpoints: a path, or any URL that fsspec knows."""

    def __init__(self, root: str) -> None:
        self.files, self.root = fsspec.core.url_to_fs(root)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the weights, then the manifest that makes them count; then drop all but the newest two.

        Raises OSError naming the folder when the disk is full; the checkpoints before stay whole.
        """
        content = safetensors.torch.save({name: value.contiguous() for name, value in checkpoint.tensors.items()})
        manifest = {
            "schema": SCHEMA,
            "epoch": checkpoint.epoch,
            "sha256": hashlib.sha256(content).hexdigest(),
            "history": checkpoint.history,
        }
        try:
            self.files.makedirs(self.root, exist_ok=True)
            self.files.pipe_file(self._path(checkpoint.epoch, "safetensors"), content)
            self.files.pipe_file(self._path(checkpoint.epoch, "json"), json.dumps(manifest).encode())
        except OSError as error:
            if error.errno and error.filename is None:
                error.filename = self.root
            raise
        for epoch in self._epochs()[:-KEPT]:
            for kind in ("json", "safetensors"):
                with contextlib.suppress(FileNotFoundError):  # a worker that outlived its driver was faster
                    self.files.rm_file(self._path(epoch, kind))

    def newest(self, like: Mapping[str, Tensor] | None = None) -> Checkpoint | None:
        """The newest checkpoint that is whole; others are named in the log and passed over.

        like: tensors that it must hold by these names and shapes, so that another network's is passed over too.
        Raises Unavailable when a storage elsewhere does not answer, which says nothing about its checkpoints.
        """
        for epoch in reversed(self._epochs()):
            try:
                checkpoint = self._read(epoch)
                _check_fit(checkpoint.tensors, like or {})
            except (OSError, ValueError, KeyError, TypeError) as error:
                if self._does_not_answer(error):
                    raise Unavailable(f"the checkpoints at {self.root} cannot be read ({error}): try again.") from error
                log.warning("checkpoint %s is damaged (%s): going on from the one before.", epoch, error)
            else:
                return checkpoint
        return None

    def history(self) -> list[dict[str, float]]:
        """The rows of the newest checkpoint's manifest, without reading its weights; for whoever watches the run."""
        for epoch in reversed(self._epochs()):
            try:
                return list(self._manifest(epoch)["history"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # being written, or being removed
        return []

    def clear(self) -> None:
        """Remove all of it; a warning where something stays, for a run that is over does not fail by its leftovers."""
        try:
            if self.files.exists(self.root):
                self.files.rm(self.root, recursive=True)
        except OSError as error:
            log.warning("the checkpoints at %s could not all be removed (%s).", self.root, error)

    def _does_not_answer(self, error: Exception) -> bool:
        here = "file" in self.files.protocol
        return not here and isinstance(error, OSError) and not isinstance(error, FileNotFoundError)

    def _read(self, epoch: int) -> Checkpoint:
        manifest = self._manifest(epoch)
        if manifest["schema"] != SCHEMA:
            raise ValueError(f"schema {manifest['schema']}, not {SCHEMA}")
        if manifest["epoch"] != epoch:
            raise ValueError(f"it says that it is of epoch {manifest['epoch']}")
        content: bytes = self.files.cat_file(self._path(epoch, "safetensors"))
        if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
            raise ValueError("its content is not what was written")
        return Checkpoint(manifest["epoch"], safetensors.torch.load(content), manifest["history"])

    def _manifest(self, epoch: int) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self.files.cat_file(self._path(epoch, "json")))
        return manifest

    def _epochs(self) -> list[int]:
        """Epochs that have a manifest, ascending."""
        if not self.files.exists(self.root):
            return []
        names = [str(path).rsplit("/", 1)[-1] for path in self.files.ls(self.root, detail=False, refresh=True)]
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def _path(self, epoch: int, kind: str) -> str:
        return f"{self.root}/{epoch:06d}.{kind}"


def _check_fit(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> None:
    for name, value in like.items():
        if name not in tensors or tensors[name].shape != value.shape:
            raise ValueError(f"it is of another network: {name} is not {list(value.shape)} in it")
