"""Whatever is done to a ledger: `label` takes it for what it says, or refuses it in one sentence."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from small_world import CLASSES, SmallWorld, build

from benchmarks._hostile_ledgers import REFUSED, TAKEN, by_chance, sound
from components.core.outcome import FAILED, explain
from components.core.terminal import visible
from components.datasets.labels import read_labels
from components.stages import label

FILES = (
    "manifest.parquet",
    "oracle.parquet",
    "ledger.csv",
    "embeddings.npy",
    "quarantine.parquet",
    "rules.csv",
    "samples.npy",
)
WRITTEN = (
    *("synthetic", "labels.parquet", "synthetic_labels.parquet", "annotators.csv", "revealed.csv"),
    *("rule_labels.parquet", "rule_figures.csv"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """One whose first training samples the ledger labels, one of them otherwise than the source does."""
    return build(tmp_path_factory.mktemp("world"))


def _ledger(world: SmallWorld) -> str:
    return sound([world.ids[row] for row in world.train[:6]], CLASSES[::-1])


def _outcome(world: SmallWorld, content: bytes) -> tuple[str, int]:
    (world.folder / "ledger.csv").write_bytes(content)
    try:
        label.run(params=label.Params(), **world.paths(*FILES, *WRITTEN))
    except Exception as error:
        return explain(error, "label")
    return "", 0


@pytest.mark.parametrize("edit", TAKEN.values(), ids=TAKEN)
def test_what_leaves_the_answers_as_they_are_changes_no_label(
    world: SmallWorld, edit: Callable[[str, random.Random], bytes]
) -> None:
    assert _outcome(world, _ledger(world).encode()) == ("", 0)
    plain = (world.folder / "labels.parquet").read_bytes()
    assert "person" in read_labels(world.folder / "labels.parquet").sources
    assert _outcome(world, edit(_ledger(world), random.Random(0))) == ("", 0)
    assert (world.folder / "labels.parquet").read_bytes() == plain


@pytest.mark.parametrize("edit", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    world: SmallWorld, edit: Callable[[str, random.Random], bytes]
) -> None:
    said, code = _outcome(world, edit(_ledger(world), random.Random(0)))
    assert code == FAILED, said
    assert "ledger.csv" in said
    assert "\n" not in said
    assert 20 < len(said) < 1000
    assert visible(said) == said


def test_pieces_put_in_by_chance_end_in_labels_or_a_sentence(
    world: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where a log of what nobody foresaw would go
    chance = random.Random(0)
    ends = [_outcome(world, by_chance(_ledger(world), chance)) for _ in range(100)]
    assert {code for _, code in ends} == {0, FAILED}
    assert all("\n" not in said for said, _ in ends)
