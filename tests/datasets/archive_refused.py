"""An archive that is refused, and what came out of one that is not."""

from pathlib import Path

import pytest

from benchmarks._hostile_archives import Members
from components.core.errors import WinnowError
from components.datasets.archive import Budget, unpack


def refused(path: Path, budget: Budget | None = None) -> str:
    """The sentence; nothing was written, here or outside."""
    before = sorted(path.parent.parent.rglob("*"))
    with pytest.raises(WinnowError) as refusal:
        unpack(path, budget)
    left = [item for item in sorted(path.parent.parent.rglob("*")) if item not in before]
    assert [item for item in left if item.is_file() or item.is_symlink()] == []
    return str(refusal.value)


def content_of(folder: Path) -> Members:
    """Every file below the folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
