"""Stages' fixture: a small finished project with its own registry, where models are registered at will."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registered_world import CLASSES, register_model, write_data, write_model, write_predictions

from components.core import tracking

Project = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store and room for packaged models: what takes seconds to make and nothing to copy."""
    home = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv(tracking.URI, raising=False)
        tracking.opened()
        tracking._client = None
    return home


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_once: Path) -> Iterator[Project]:
    """`project(seed, ...)` writes a small finished project with a model of that seed and registers it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.delenv("WINNOW_PIPELINE_RUN", raising=False)
    shutil.copyfile(made_once / "mlflow.db", "mlflow.db")
    write_data()

    def one(seed: int = 0, *, right: float = 1.0, classes: list[str] = CLASSES, **gate: Any) -> dict[str, Any]:
        write_model(seed, classes)
        write_predictions(right, classes)
        return register_model(gate)

    yield one
    tracking._client = None
