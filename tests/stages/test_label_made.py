"""Labels of made pictures: what they cost, where they stand, and that they begin nothing."""

from pathlib import Path

import numpy as np
import pytest
from label_world import run
from small_world import SmallWorld, build

from components.core.errors import WinnowError
from components.datasets.synthetic import file_of, identity_of, is_synthetic, read_synthetic


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return build(tmp_path)


def made(world: SmallWorld, content: bytes) -> str:
    """The id of a made picture with that content."""
    (world.folder / "synthetic").mkdir(exist_ok=True)
    identity = identity_of(content)
    file_of(world.folder / "synthetic", identity).write_bytes(content)
    return identity


def test_labels_of_made_pictures_cost_their_share_of_the_budget_and_stand_apart(world: SmallWorld) -> None:
    identity = made(world, b"a picture")
    made(world, b"another one, that nobody could name")
    world.answer((identity, "bee", "eva"), (identity, "cat", "max"), (world.id_of("ant"), "ant", "eva"))
    metrics, labels = run(world, budget=9)
    assert (metrics["labels_used"], metrics["labels_synthetic"], labels.synthetic, labels.used) == (9, 1, 1, 9)
    assert len(labels.ids) == 8
    assert not any(is_synthetic(id_) for id_ in labels.ids)
    ids, distributions, contents = read_synthetic(world.folder / "synthetic_labels.parquet")
    assert (ids, contents) == ([identity], [b"a picture"])
    np.testing.assert_allclose(distributions, [[0, 0.5, 0.5]])


def test_a_withdrawn_made_picture_is_as_if_it_had_never_been(world: SmallWorld) -> None:
    before = run(world, budget=9)[1]
    identity = made(world, b"a picture")
    world.answer((identity, "bee", "eva"), (identity, "", "eva"))
    file_of(world.folder / "synthetic", identity).unlink()
    metrics, labels = run(world, budget=9)
    assert metrics["labels_synthetic"] == 0
    assert labels.ids == before.ids
    assert read_synthetic(world.folder / "synthetic_labels.parquet")[0] == []


def test_made_pictures_alone_are_no_labels_to_begin_with(tmp_path: Path) -> None:
    world = build(tmp_path, known=False)
    world.answer((made(world, b"one"), "bee", "eva"), (made(world, b"two"), "ant", "eva"))
    with pytest.raises(WinnowError, match="there is no label yet"):
        run(world)
