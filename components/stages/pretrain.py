"""pretrain: an encoder learns from the training pictures without a label; resumes after a kill, stops on collapse."""

import csv
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from components.core import progress
from components.core.config import PluginChoice, StageParams
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import open_samples
from components.modalities.image.policy import read_policies
from components.models.encoder_file import EncoderSpec, save_encoder
from components.stages.learned import draw_learned
from components.training.checkpoints import CheckpointStore
from components.training.loop import LoopConfig, Row
from components.training.pretraining import Job, pretrain, shown


class Params(StageParams, LoopConfig):
    """The `pretrain` block: the loop's settings, and what runs where.

    workers: Ray Train workers, 0 trains in this process; ray_address: of a running cluster, empty starts one here;
    storage_path: folder or fsspec URL for checkpoints that every machine can reach.
    """

    epochs: int = Field(default=100, ge=1)
    method: PluginChoice
    encoder: PluginChoice
    workers: int = Field(default=0, ge=0)
    ray_address: str | None = None
    storage_path: str | None = None


def run(
    *, params: Params, manifest: Path, samples: Path, policy: Path, encoder: Path, history: Path, learned: Path
) -> dict[str, float]:
    """Train on the training split; returns the last epoch's figures.

    Writes the weights with a `.json` beside them, one row per epoch, and the page that shows these and the pictures.
    """
    job = _job(params, manifest, samples, policy)
    report = _reporter(params.epochs)
    _say_if_batch_is_all(params.batch_size, manifest)
    if params.workers:
        from components.training.distributed import pretrain_on_ray

        trained, rows = pretrain_on_ray(job, workers=params.workers, address=params.ray_address, on_epoch=report)
    else:
        trained, rows = pretrain(job, on_epoch=report)
    save_encoder(encoder, trained.encoder, _spec(params, samples, policy, trained.encoder.dim))
    _write_history(history, rows)
    draw_learned(learned, f"What {params.method.name} learned", rows, shown(trained, job))
    CheckpointStore(job.checkpoints).clear()
    return _figures(rows[-1])


def _job(params: Params, manifest: Path, samples: Path, policy: Path) -> Job:
    """Checkpoints lie under the stage key, or, where no runner gave one, under a hash of the settings."""
    unnamed = hashlib.sha256(params.model_dump_json().encode()).hexdigest()
    key = os.environ.get("WINNOW_STAGE_KEY", unnamed)
    return Job(
        method=params.method,
        encoder=params.encoder,
        loop=LoopConfig(**params.model_dump(include=set(LoopConfig.model_fields))),
        manifest=manifest.absolute(),
        samples=samples.absolute(),
        policy=policy.absolute(),
        checkpoints=f"{params.storage_path or Path('.winnow/checkpoints').absolute()}/{key}",
        seed=params.seed,
        threads=max(1, params.threads // max(1, params.workers)),
    )


def _say_if_batch_is_all(batch_size: int, manifest: Path) -> None:
    count = len(positions_of(read_manifest(manifest, ["split"]), "train"))
    if count < batch_size:
        print(
            f"  pretrain: batch_size {batch_size} is more than the {count} training pictures, so a batch holds all: "
            "lower pretrain.batch_size for more steps per epoch.",
            file=sys.stderr,
        )


def _spec(params: Params, samples: Path, policy: Path, dim: int) -> EncoderSpec:
    channels, image_size = open_samples(samples).shape[1:3]
    policies = read_policies(policy)
    return EncoderSpec(
        name=params.encoder.name,
        options=params.encoder.options,
        channels=channels,
        image_size=image_size,
        dim=dim,
        mean=policies.mean,
        std=policies.std,
    )


def _reporter(epochs: int) -> Callable[[int, Row], None]:
    def report(epoch: int, row: Row) -> None:
        progress.report_epoch(epoch, _figures(row), total=epochs)

    return report


def _figures(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "epoch"}


def _write_history(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "epoch": int(row["epoch"])} for row in rows)
