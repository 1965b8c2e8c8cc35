"""Pretraining on Ray Train: any number of workers, here or on a cluster, make the steps of one and outlive failures."""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from components.core.errors import Unavailable, WinnowError
from components.core.machine import OBJECT_STORE, processors
from components.core.secrets import without_secrets
from components.methods.contracts import SelfSupervisedMethod
from components.training.checkpoints import CheckpointStore
from components.training.corpus import Corpus
from components.training.loop import Row
from components.training.pretraining import Job, pretrain, trained_method
from components.training.ray_home import ray_home

FAILURES = 2  # a worker may be lost so often: the rest is a defect, not bad luck
STARTS = 2  # here: Ray gives its own process 30 seconds, which beside other work is too little at first
WATCH_SECONDS = 0.5
KILLED = ("worker process has died", "running low on memory")  # Ray's words for a worker ended from outside
NOT_NEEDED = ("DatasetsCallback", "PlacementGroupCleanerCallback")  # data comes by memory map; Ray ends with the run
SETTINGS = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # an alarming line and nothing else on machines that stay
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",  # with 2, its default, a short run waits for the next check
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # with 15, its default, training stands still beside any other busy program
    "RAY_enable_worker_prestart": "0",  # idle workers that nobody takes: training has an environment of its own
}
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # Ray's way to say: a node of this machine alone; read at import


def pretrain_on_ray(
    job: Job, corpus: Corpus, *, workers: int, address: str | None, on_epoch: Callable[[int, Row], None]
) -> tuple[SelfSupervisedMethod, list[Row]]:
    """The trained method and its history, as `pretrain` gives them.

    address: of a running cluster, where the job's paths must be on every machine; None starts Ray here, and stops it
    afterwards. Raises WinnowError for what stopped the training, and at once for more workers than processors;
    Unavailable where workers or the cluster were lost too often.
    """
    check_processors(workers, address)
    with ThreadPoolExecutor(1) as aside, _ray(workers, address) as (home, use_gpu):
        # not in the main thread: there Ray would answer Ctrl-C itself, and end this process as if all were well
        fitting = aside.submit(_fit, job, workers, home, use_gpu=use_gpu)
        _watch(fitting, CheckpointStore(job.checkpoints), on_epoch)
        outcome = fitting.result()
    if isinstance(outcome, str):
        raise WinnowError(outcome)
    return trained_method(job, corpus), outcome


def _watch(fitting: Future[Any], store: CheckpointStore, on_epoch: Callable[[int, Row], None]) -> None:
    """Tell `on_epoch` of every epoch whose checkpoint is written, each once however often it was repeated."""
    told, over = 0, False
    while not over:
        over = bool(wait([fitting], WATCH_SECONDS).done)
        rows = store.history()
        for row in rows[told:]:
            on_epoch(int(row["epoch"]), row)
        told = max(told, len(rows))


def _work(job: dict[str, Any]) -> list[Row] | str:
    """What a worker does: the history, or the sentence that says what stopped it; other errors are worth a retry."""
    import ray.train

    context = ray.train.get_context()
    try:
        mine = Job.model_validate(job)
        _, history = pretrain(mine, mine.corpus(), rank=context.get_world_rank(), world=context.get_world_size())
    except Unavailable:
        raise
    except WinnowError as error:
        return str(error)
    return history


def check_processors(workers: int, address: str | None) -> None:
    """Raise WinnowError for more workers than this machine has processors, where no cluster is named."""
    here = processors()
    if address is None and workers > here:
        raise WinnowError(
            f"pretrain.workers is {workers}, but this machine has {here} processors: lower it, or name a cluster in "
            "pretrain.ray_address."
        )


@contextlib.contextmanager
def _ray(workers: int, address: str | None) -> Iterator[tuple[Path | None, bool]]:
    """Ray connected, quiet; yields its folder where it runs here alone, and whether every worker can have a GPU."""
    settings = SETTINGS if address else {**SETTINGS, **LOOPBACK}
    os.environ.update({name: os.environ.get(name, value) for name, value in settings.items()})
    import ray

    handler = signal.getsignal(signal.SIGTERM)
    with contextlib.ExitStack() as stack:
        home = None if address else stack.enter_context(ray_home())
        stack.callback(ray.shutdown)
        _connect(address, _here(workers, home) if home else {})
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # ray.init puts its own there
        resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
        if resources.get("CPU", 0) < workers:
            raise WinnowError(
                f"pretrain.workers is {workers}, but the cluster at {address} has {resources.get('CPU', 0):.0f} "
                "processors: lower it, or add machines."
            )
        yield home, resources.get("GPU", 0) >= workers


def _here(workers: int, home: Path) -> dict[str, Any]:
    """How Ray is started on this machine."""
    return {
        "num_cpus": workers,
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
        "_temp_dir": str(home),
    }


def _connect(address: str | None, here: dict[str, Any]) -> None:
    import ray

    for start in range(STARTS):
        try:
            ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **here)
        except Exception as error:  # Ray raises that very class when a machine is too slow to start it
            ray.shutdown()
            if address is None and start + 1 < STARTS:
                continue
            reason = without_secrets(" ".join(str(error).split()))[:200]
            whose = f"the Ray cluster at {address} does not answer" if address else "Ray did not start on this machine"
            raise Unavailable(
                f"{whose} ({reason}): try again, or set pretrain.workers to 0 to train without Ray."
            ) from None
        return


def _fit(job: Job, workers: int, home: Path | None, *, use_gpu: bool) -> list[Row] | str:
    from ray.train.torch import TorchConfig
    from ray.train.v2.api.config import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
    from ray.train.v2.api.exceptions import TrainingFailedError
    from ray.train.v2.torch.torch_trainer import TorchTrainer

    from components.training.one_machine import OneMachine

    class Trainer(TorchTrainer):
        """Leaves out helpers that each start a process and import for seconds, to do nothing for us."""

        def _create_default_callbacks(self) -> list[Any]:
            callbacks = super()._create_default_callbacks()
            return [callback for callback in callbacks if type(callback).__name__ not in NOT_NEEDED]

    trainer = Trainer(
        _work,
        train_loop_config=job.model_dump(mode="json"),
        torch_config=TorchConfig() if home is None else OneMachine(home),
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=use_gpu),
        run_config=RunConfig(
            name=job.checkpoints.rsplit("/", 1)[-1],  # the stage key: other settings never meet these files
            storage_path=str(Path(".winnow/ray").absolute()),
            failure_config=FailureConfig(
                max_failures=FAILURES, controller_failure_limit=FAILURES, max_preemption_failures=FAILURES
            ),
            logging_config=LoggingConfig(log_level="ERROR"),
        ),
    )
    try:
        result: Any = trainer.fit()  # typed by the base class of older results
    except TrainingFailedError as error:
        raise Unavailable(f"training failed {FAILURES + 1} times on Ray, last with: {_cause(str(error))}") from error
    outcome = result.return_value
    assert isinstance(outcome, list | str)
    return outcome


def _cause(report: str) -> str:
    """The last line of Ray's report; where a worker was ended from outside, what most often does that."""
    if any(word in report for word in KILLED):
        return (
            "a worker process was killed, most often because memory ran out. Lower pretrain.workers or "
            "pretrain.batch_size, or choose a smaller encoder."
        )
    return report.strip().splitlines()[-1].strip()
