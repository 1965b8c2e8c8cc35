"""What all tests share: where the real data sets lie, if they do, and a project with an MLflow store of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# before anything loads them: tests run side by side, and threads that wait for a busy core keep it busy
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

from components.core import journal, tracking

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("dirty/dirty_images.zip")`: the path, or a skip that says what is missing."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            pytest.skip(f"needs the data set {relative}, which is not part of the project")
        return path

    return find


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh MLflow database, made once: creating one takes seconds, copying it none."""
    home = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv(tracking.URI, raising=False)
        tracking.opened()
        tracking._client = None
    return home / "mlflow.db"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> Iterator[Any]:
    """An `MlflowClient` on the empty store of the project in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.delenv(journal.PARENT, raising=False)
    Path("params.yaml").write_text("seed: 0\nregister: {name: toys}\na: {size: 1}\nb: {size: 1}\n")
    shutil.copyfile(empty_store, "mlflow.db")
    yield tracking.opened()
    tracking._client = None
