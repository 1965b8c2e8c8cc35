"""Annotators who disagree: weighed by a label model, listed in a table, and rules among them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from label_world import run
from small_world import CLASSES, SmallWorld, build

from components.core.errors import WinnowError
from components.core.plugins import names
from components.datasets.ledger import append


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return build(tmp_path)


def _crowd(world: SmallWorld) -> list[str]:
    """Forty samples: two who are always right, one who says bee of every cat, one who says anything."""
    ids = [world.ids[row] for row in world.train[:40]]
    truth = [CLASSES[world.classes[row]] for row in world.train[:40]]
    noise = np.random.default_rng(0).integers(0, 3, 40)
    for id_, name, drawn in zip(ids, truth, noise, strict=True):
        confused = "bee" if name == "cat" else name
        said = {"ann": name, "bob": name, "cy": confused, "dan": CLASSES[drawn]}
        world.answer(*((id_, label, who) for who, label in said.items()))
    return truth


def annotators(world: SmallWorld) -> pd.DataFrame:
    return pd.read_csv(world.folder / "annotators.csv").set_index("annotator")


def test_annotators_are_weighed_by_how_good_they_seem_and_the_table_says_so(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = _crowd(world)
    before, soft = run(world, budget=40)
    after, weighed = run(world, budget=40, aggregation={"name": "dawid_skene"})
    row = {id_: n for n, id_ in enumerate(weighed.ids)}
    right = [row[world.ids[place]] for place in world.train[:40]]
    numbers = [CLASSES.index(name) for name in truth]
    assert weighed.distributions[right, numbers].min() > soft.distributions[right, numbers].min() + 0.2
    assert before["labels_changed"] == 0
    assert before["labels_disputed"] == after["labels_disputed"] > 10
    table = annotators(world)
    assert table.loc[["ann", "bob"], "accuracy"].min() > 0.95
    assert 0.5 < table.loc["cy", "accuracy"] < 0.8
    assert table.loc["dan", "accuracy"] < 0.6
    assert table["votes"].tolist() == table["shared"].tolist() == [40] * 4
    assert "dawid_skene takes another class than majority vote for " in capsys.readouterr().err


def test_every_label_model_gives_the_bytes_of_majority_vote_with_one_annotator_a_sample(world: SmallWorld) -> None:
    for number in range(9):
        world.answer((world.id_of(CLASSES[number % 3], number), CLASSES[number % 3], f"p{number % 2}"))
    files = []
    for name in names("label_model"):
        assert run(world, budget=30, aggregation={"name": name})[0]["labels_changed"] == 0
        files.append((world.folder / "labels.parquet").read_bytes())
    assert len(set(files)) == 1
    table = annotators(world)
    assert table.index.tolist() == ["p0", "p1", "the source"]
    assert table["votes"].tolist() == [5, 4, 21]
    assert table["shared"].tolist() == [0, 0, 0]
    assert table["accuracy"].isna().all()


def test_a_rule_is_an_annotator_and_dawid_skene_is_told_to_leave_rules(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [world.id_of("ant", number) for number in range(4)] + [world.id_of("bee")]
    rows = [{"id": id_, "label": "ant", "annotator": "small legs", "source": "rule"} for id_ in asked]
    append(world.folder / "ledger.csv", rows)
    world.answer(*((id_, "bee" if id_ == asked[4] else "ant", "eva") for id_ in asked))
    run(world, budget=6, aggregation={"name": "dawid_skene"})
    assert annotators(world).loc["small legs", "source"] == "rule"
    assert "data_programming is made for them" in capsys.readouterr().err
    run(world, budget=6, aggregation={"name": "data_programming"})
    assert "made for them" not in capsys.readouterr().err


def test_an_unknown_label_model_is_refused_with_the_nearest(world: SmallWorld) -> None:
    with pytest.raises(WinnowError, match=r"unknown label model 'david_skene' in label.aggregation: did you mean"):
        run(world, aggregation={"name": "david_skene"})


def test_agreement_stands_in_the_table_and_what_nobody_could_name_changes_no_label(world: SmallWorld) -> None:
    _crowd(world)
    run(world, budget=40)
    table, before = annotators(world), (world.folder / "labels.parquet").read_bytes()
    assert table.loc["ann", "kappa"] > table.loc["cy", "kappa"] > table.loc["dan", "kappa"]
    row = {"id": world.ids[world.train[50]], "label": "", "annotator": "ann", "source": "person", "note": "cannot tell"}
    again = {
        **row,
        "id": world.ids[world.train[0]],
        "label": CLASSES[world.classes[world.train[0]]],
        "note": "asked again",
    }
    append(world.folder / "ledger.csv", [row, again])
    run(world, budget=40)
    assert (world.folder / "labels.parquet").read_bytes() == before
    assert annotators(world).loc["ann", ["again", "same"]].tolist() == [1, 1]
