"""The process's surroundings, set in one place before anything heavy is imported: no telemetry, no secret, threads."""

import os
from pathlib import Path

from components.core.addresses import part_with_users
from components.core.masked_output import mask_output

QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "DVC_SITE_CACHE_DIR": str(Path(".winnow/dvc").absolute()),
}


def prepare(*, threads: int | None = None) -> None:
    """Switch off every tool's telemetry, keep secrets out of addresses and output, and pin the math libraries' threads.

    Call before imports. Raises WinnowError for addresses with users that no variable can take.
    """
    mask_output()
    part_with_users()
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if threads is not None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(threads)
