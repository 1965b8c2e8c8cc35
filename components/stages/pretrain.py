"""pretrain: an encoder learns from the training samples without a label; resumes after a kill, stops on collapse."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from components.core import progress
from components.core.config import PluginChoice, StageParams
from components.core.errors import WinnowError
from components.core.files import sha256, write_text
from components.core.spreadsheet import to_csv
from components.datasets.named_arrays import write_arrays
from components.judging.collapse import shrunk
from components.judging.normalization import doubt
from components.modalities import Input, Modality
from components.modalities.views import Views
from components.models.encoder_file import EncoderSpec, Inputs, save_encoder
from components.models.encoder_size import outlined
from components.models.given_weights import FOLDER, GivenWeights, Origin, made_otherwise, read_origin, weights_file
from components.models.start_weights import read_start
from components.training.checkpoints import CheckpointStore
from components.training.corpus import Corpus
from components.training.few_steps import few_steps
from components.training.loop import LoopConfig, Row
from components.training.pretraining import Job, build_method, pretrain, settle
from components.training.pretraining import shown as shown_by

DOUBTED = 32  # samples by which the normalization of given weights is checked


class Params(StageParams, LoopConfig):
    """The `pretrain` block: the loop's settings, and what runs where.

    weights: to start from, see `GivenWeights`; with them `epochs` may be 0, which takes them as they are; workers: Ray
    Train workers, 0 trains in this process; ray_address: of a running cluster, empty starts one here; storage_path:
    folder or fsspec URL for checkpoints that every machine can reach.
    """

    epochs: int = Field(default=100, ge=0)
    method: PluginChoice
    encoder: PluginChoice
    weights: GivenWeights | None = None
    workers: int = Field(default=0, ge=0)
    ray_address: str | None = None
    storage_path: str | None = None

    def unused(self) -> dict[str, str]:
        """As the base says."""
        if not self.epochs:
            steps = {*LoopConfig.model_fields, "workers", "ray_address", "storage_path"} - {"epochs"}
            return dict.fromkeys(steps, "pretrain.epochs is 0, so that nothing is trained")
        return {} if self.workers else {"ray_address": "pretrain.workers is 0, so that Ray has no part in it"}


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    policy: Path,
    weights: Path,
    encoder: Path,
    history: Path,
    shown: Path,
) -> dict[str, float]:
    """Train on the training split; returns the last epoch's figures.

    weights: the watched folder; what to start from is `params.weights`, in it or noted in it. Writes the encoder with a
    `.json` beside it, one row per epoch, and in `shown` what the method shows of a few pictures, by caption.
    """
    job = _job(params, manifest, samples, policy, weights)
    corpus = job.corpus()
    for sentence in [*check_start(params, corpus.views.input, weights), *_on_pictures(job, corpus)]:
        print(f"  pretrain: {sentence}", file=sys.stderr)
    report = _reporter(params.epochs)
    if params.epochs:
        _say_if_batch_is_all(params.batch_size, len(corpus.rows))
    if few := few_steps(job.loop, len(corpus.rows)):
        print(f"  pretrain: {few}", file=sys.stderr)
    if params.workers and params.epochs:
        from components.training.distributed import pretrain_on_ray

        trained, rows = pretrain_on_ray(
            job, corpus, workers=params.workers, address=params.ray_address, on_epoch=report
        )
    else:
        trained, rows = pretrain(job, corpus, on_epoch=report)
    if sentence := shrunk(rows[-1]):
        print(f"  pretrain: {sentence}", file=sys.stderr)
    settle(trained.encoder, corpus, params.seed)
    save_encoder(encoder, trained.encoder, _spec(params, corpus.views, trained.encoder.dim, job.origin))
    _write_history(history, rows)
    write_arrays(shown, shown_by(trained, corpus, job.seed))
    CheckpointStore(job.checkpoints).clear()
    return _figures(rows[-1])


def reads_beside(params: Params) -> list[Path]:
    """The file of weights, which may lie anywhere."""
    path = params.weights.path if params.weights else None
    return [path] if path and path.exists() else []


def check_start(params: Params, given: Input, folder: Path = FOLDER) -> list[str]:
    """Sentences on how the weights to start from fit the encoder; none where there are none.

    folder: where a library's lie. Raises WinnowError for an encoder that cannot be, for weights that are not there or
    do not fit it, and for no epochs without weights.
    """
    if params.weights is None and not params.epochs:
        raise WinnowError("pretrain.epochs is 0 and pretrain.weights empty: nothing would be learned; set one of them.")
    encoder = outlined(params.encoder, given, where="pretrain.encoder")
    return read_start(weights_file(params.weights, params.encoder, folder), encoder).said if params.weights else []


def given_input(params: Params, modality: Modality, folder: Path = FOLDER) -> Input:
    """What an encoder of these settings is given, as far as they say it and weights to start from bring it."""
    path, _ = start_of(params, folder)
    return modality.input(modality.brought(path) if path else None)


def start_of(params: Params, folder: Path = FOLDER) -> tuple[Path | None, Origin | None]:
    """The file of weights and what belongs to them; folder: where a library's lie. Nothing where none are given."""
    if params.weights is None:
        return None, None
    path = weights_file(params.weights, params.encoder, folder)
    return path, read_origin(params.weights, path) if path.is_file() else None


def _on_pictures(job: Job, corpus: Corpus) -> list[str]:
    """Whose weights they are, and what of these pictures is not as they were made for."""
    if (origin := job.origin) is None:
        return []
    said, noun = [f"weights: {origin.said}."], corpus.views.modality.noun[1]
    if not origin.std and corpus.views.statistics.get("std"):
        said.append(
            f"warning: nothing says by which mean and deviation {noun} were normalized for these weights, so those of "
            "yours are taken, which can cost much: give pretrain.weights mean and std, or a .json beside the file."
        )
    few = torch.from_numpy(np.asarray(corpus.samples[corpus.rows[:DOUBTED]]))
    said += filter(None, [doubt(build_method(job, corpus).encoder, corpus.views, few)])
    return said + made_otherwise(origin, corpus.views.modality.choice.options)


def _job(params: Params, manifest: Path, samples: Path, policy: Path, folder: Path) -> Job:
    """Checkpoints lie under the stage key, or, where no runner gave one, under a hash of settings and data."""
    path, origin = start_of(params, folder)
    facts = [params.model_dump_json(), sha256(manifest), sha256(policy)]
    key = os.environ.get("WINNOW_STAGE_KEY") or hashlib.sha256("\n".join(facts).encode()).hexdigest()
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
        weights=path.absolute() if path else None,
        origin=origin,
    )


def _say_if_batch_is_all(batch_size: int, count: int) -> None:
    if count < batch_size:
        print(
            f"  pretrain: batch_size {batch_size} is more than the {count} training samples, so a batch holds all: "
            "lower pretrain.batch_size for more steps per epoch.",
            file=sys.stderr,
        )


def _spec(params: Params, views: Views, dim: int, origin: Origin | None) -> EncoderSpec:
    inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
    return EncoderSpec(name=params.encoder.name, options=params.encoder.options, inputs=inputs, dim=dim, origin=origin)


def _reporter(epochs: int) -> Callable[[int, Row], None]:
    def report(epoch: int, row: Row) -> None:
        progress.report_epoch(epoch, _figures(row), total=epochs)

    return report


def _figures(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "epoch"}


def _write_history(path: Path, rows: list[Row]) -> None:
    columns = list(rows[0])
    cells = ({**row, "epoch": int(row["epoch"])} for row in rows)
    write_text(path, to_csv(columns, [[row[name] for name in columns] for row in cells]))
