"""Which labels are in force: the ledger's, the source's, and never one more than the budget."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from label_world import run
from small_world import CLASSES, SmallWorld, build

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.datasets import oracle as oracle_file
from components.datasets.quarantine import write_quarantine
from components.stages import label


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return build(tmp_path)


def test_without_a_budget_every_known_training_label_is_in_force(world: SmallWorld) -> None:
    metrics, labels = run(world)
    assert labels.ids == [world.ids[row] for row in world.train]
    assert labels.distributions.argmax(1).tolist() == world.classes[world.train].tolist()
    assert set(labels.sources) == {"given"}
    assert metrics["labels_used"] == len(world.train)


@pytest.mark.parametrize("first", ["random", "typiclust", "k_medoids", "core_set"])
def test_the_oracle_reveals_exactly_the_budget(world: SmallWorld, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def reveal(path: Path, ids: list[str]) -> list[str | None]:
        asked.extend(ids)
        return oracle_file.reveal(path, ids)

    monkeypatch.setattr(label, "reveal", reveal)
    metrics, labels = run(world, budget=12, first=PluginChoice(name=first))
    assert sorted(asked) == labels.ids
    assert len(labels.ids) == metrics["labels_used"] == 12
    assert set(labels.sources) == {"oracle"}
    assert set(labels.ids) <= {world.ids[row] for row in world.train}


def test_typical_labels_cover_every_class(world: SmallWorld) -> None:
    metrics, _ = run(world, budget=3)
    assert metrics["classes_without_label"] == 0
    assert metrics["folds"] == 0  # one label each: none can be held out


def test_the_choice_does_not_depend_on_the_truth(world: SmallWorld) -> None:
    _, before = run(world, budget=9)
    truth = oracle_file.read_oracle(world.folder / "oracle.parquet")
    truth["class"] = truth["class"].to_numpy()[::-1]
    oracle_file.write_oracle(world.folder / "oracle.parquet", truth, CLASSES)
    assert run(world, budget=9)[1].ids == before.ids


def test_the_ledger_counts_first_and_the_strategy_picks_the_rest(world: SmallWorld) -> None:
    world.answer((world.id_of("ant"), "ant", "eva"), (world.id_of("bee"), "bee", "eva"))
    metrics, labels = run(world, budget=5)
    assert metrics["labels_from_ledger"] == 2
    assert metrics["labels_from_source"] == 3
    assert sorted(labels.sources) == ["oracle"] * 3 + ["person"] * 2


def test_every_answer_counts_beyond_the_budget_too_and_what_was_revealed_stays(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(world, budget=12)[1].ids
    for round_, total in ((1, 17), (2, 22)):
        free = [world.ids[row] for row in world.train if world.ids[row] not in run(world, budget=12)[1].ids][:5]
        world.answer(*((id_, "ant", "eva") for id_ in free))
        metrics, labels = run(world, budget=12)
        assert len(labels.ids) == metrics["labels_used"] == total
        assert {*first, *free} <= set(labels.ids)
        assert metrics["labels_beyond_budget"] == 5 * round_
    assert "22 labels are in force, 10 beyond label.budget (12)" in capsys.readouterr().err
    assert run(world, budget=25)[0]["labels_from_source"] == 15


def test_an_answer_for_a_revealed_sample_corrects_it_and_costs_nothing(world: SmallWorld) -> None:
    ids = run(world, budget=12)[1].ids
    world.answer((ids[0], "cat", "eva"))
    _, labels = run(world, budget=12)
    assert labels.ids == ids
    assert labels.sources[0] == "person"


def test_what_was_revealed_keeps_its_class_where_the_source_forgets_it(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(world, budget=12)[1]
    oracle_file.write_oracle(
        world.folder / "oracle.parquet", oracle_file.read_oracle(world.folder / "oracle.parquet")[:0], []
    )
    for budget in (12, 500):
        metrics, after = run(world, budget=budget)
        assert (after.ids, after.classes) == (before.ids, before.classes)
        np.testing.assert_array_equal(after.distributions, before.distributions)
        assert metrics["labels_from_source"] == 12
    assert "gone from training" not in capsys.readouterr().err


def test_the_record_gives_the_same_bytes_again_and_is_not_needed_without_a_budget(world: SmallWorld) -> None:
    run(world, budget=12)
    before = (world.folder / "revealed.csv").read_bytes()
    run(world, budget=5)
    run(world)
    assert (world.folder / "revealed.csv").read_bytes() == before
    (world.folder / "revealed.csv").unlink()
    run(world, budget=12)
    assert (world.folder / "revealed.csv").read_bytes() == before


@pytest.mark.parametrize("typed", ["catt", "Cat", "сat", "ca\u200dt", "ｃat", "act"])
def test_a_class_that_is_likely_a_larger_one_misspelled_is_named(tmp_path: Path, typed: str) -> None:
    world = build(tmp_path, known=False)
    world.answer(*((world.id_of("cat", n), " cat\u200b", "eva") for n in range(3)), (world.id_of("bee"), typed, "eva"))
    with pytest.raises(WinnowError, match=r"line 5: the class '.+' .1. is likely 'cat' .3.: `winnow label rename"):
        run(world)
    assert len(run(world, classes=["cat", typed])[1].classes) == 2


def test_labels_whose_samples_are_gone_are_counted_by_cause(world: SmallWorld) -> None:
    left_out = pd.DataFrame([{"path": "p/x.png", "kind": "leak", "reason": "a twin.", "id": "f" * 16}])
    write_quarantine(world.folder / "quarantine.parquet", left_out, leaks="drop")
    lost = ["feedfeedfeedfeed", "1.23457E+15", "7", "f" * 16, "synthetic-0", "feedfeedfeedfee0", "feedfeedfeedfee1"]
    lost.append(f"'{world.id_of('ant').upper()}")  # as a spreadsheet keeps a text
    world.answer(*((id_, "ant", "eva") for id_ in lost))
    with pytest.raises(WinnowError) as caught:
        run(world)
    said = str(caught.value)
    for part in ("8 samples", "3 in no file", "2 changed by a spreadsheet", "0000000000000007", "p/x.png", "1 of made"):
        assert part in said
    assert f"1 written otherwise than in the manifest (line 9: '{lost[-1]}', which is {world.id_of('ant')})" in said


def test_annotators_who_disagree_make_a_soft_label(world: SmallWorld) -> None:
    disputed = world.id_of("ant")
    world.answer((disputed, "ant", "eva"), (disputed, "bee", "max"), (disputed, "ant", "ida"), (disputed, "ant", "max"))
    world.answer((disputed, "bee", "max"), (world.id_of("bee"), "bee", "eva"))
    metrics, labels = run(world, budget=2)
    np.testing.assert_allclose(labels.distributions[labels.ids.index(disputed)], [2 / 3, 1 / 3, 0], atol=1e-6)
    assert metrics["labels_disputed"] == 1


def test_a_person_overrules_the_source(world: SmallWorld) -> None:
    corrected = world.id_of("ant")
    world.answer((corrected, "cat", "eva"))
    _, labels = run(world)
    row = labels.ids.index(corrected)
    assert CLASSES[labels.distributions[row].argmax()] == "cat"
    assert labels.sources[row] == "person"
    assert len(labels.ids) == len(world.train)


def test_a_withdrawn_label_is_not_in_force(world: SmallWorld) -> None:
    withdrawn = world.id_of("ant")
    world.answer((withdrawn, "ant", "eva"), (withdrawn, "", "eva"))
    assert run(world, budget=4)[0]["labels_from_ledger"] == 0


def test_labels_of_test_samples_are_counted_but_never_train(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.answer((world.ids[0], "ant", "eva"))
    metrics, labels = run(world, budget=6)
    assert "1 sample in the ledger is a test sample: evaluate measures by it" in capsys.readouterr().err
    assert metrics["ledger_test_samples"] == 1
    assert metrics["labels_from_ledger"] == 0
    assert world.ids[0] not in labels.ids


def test_a_source_that_knows_no_class_takes_any_budget_and_reveals_nothing(tmp_path: Path) -> None:
    world = build(tmp_path, known=False)
    world.answer(*((world.id_of(CLASSES[n % 3], n), CLASSES[n % 3], "eva") for n in range(24)))
    for budget in (16, 40):
        metrics, labels = run(world, budget=budget)
        assert len(labels.ids) == metrics["labels_used"] == metrics["labels_from_ledger"] == 24


def test_all_likely_misspellings_are_told_at_once_and_of_twins_the_later(tmp_path: Path) -> None:
    world = build(tmp_path, known=False)
    labels = [*["church"] * 4, *["mosque"] * 3, "chruch", "mosqe", "Tower", "tower"]
    world.answer(*((world.ids[world.train[n]], name, "eva") for n, name in enumerate(labels)))
    with pytest.raises(WinnowError) as caught:
        run(world)
    said = str(caught.value)
    for part in (
        "line 9: the class 'chruch' (1)",
        "line 10: the class 'mosqe' (1)",
        "'tower' (1) is likely 'Tower' (1)",
    ):
        assert part in said


def test_annotators_whose_names_look_alike_are_named(world: SmallWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world.answer(*((world.id_of("ant", n), "ant", who) for n, who in enumerate(["eva", "Eva", "max"])))
    run(world, budget=6)
    assert "look alike count as different people: 'Eva' and 'eva'." in capsys.readouterr().err


def test_each_unknown_class_is_counted_with_its_cure(world: SmallWorld) -> None:
    world.answer(*((world.id_of("ant", n), "ants" if n < 7 else "horse", "eva") for n in range(9)))
    with pytest.raises(WinnowError) as caught:
        run(world)
    said = str(caught.value)
    assert (
        "line 2, 3, 4, 5, 6, ...: unknown class 'ants' (7 labels): did you mean 'ant'? `winnow label rename ants ant`"
        in said
    )
    assert "line 9, 10: unknown class 'horse' (2 labels). Choose from ant, bee, cat." in said


def test_a_source_without_truth_takes_its_classes_from_the_ledger(tmp_path: Path) -> None:
    world = build(tmp_path, known=False)
    world.answer((world.id_of("ant"), "yes", "eva"), (world.id_of("bee"), "no", "eva"))
    assert run(world)[1].classes == ["no", "yes"]


def test_an_unknown_class_is_named_with_its_line_and_the_nearest(world: SmallWorld) -> None:
    world.answer((world.id_of("ant"), "ant", "eva"), (world.id_of("cat"), "catt", "eva"))
    with pytest.raises(WinnowError, match=r"line 3: unknown class 'catt': did you mean 'cat'\?"):
        run(world)


def test_an_unknown_sample_is_named_with_its_line(world: SmallWorld) -> None:
    world.answer(("feedfeedfeedfeed", "ant", "eva"))
    with pytest.raises(WinnowError, match=r"line 2: 'feedfeedfeedfeed'"):
        run(world)


def test_a_budget_above_the_data_is_refused(world: SmallWorld) -> None:
    with pytest.raises(WinnowError, match=r"label.budget is 500, but only 120 training samples"):
        run(world, budget=500)


def test_a_budget_below_the_number_of_classes_is_allowed_and_counted(world: SmallWorld) -> None:
    assert run(world, budget=2)[0]["classes_without_label"] == 1


def test_labels_of_one_class_only_are_refused(world: SmallWorld) -> None:
    world.answer((world.id_of("ant"), "ant", "eva"), (world.id_of("ant", 1), "ant", "eva"))
    with pytest.raises(WinnowError, match="all 2 labels are of class 'ant'"):
        run(world, budget=2)


def test_no_label_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="there is no label yet"):
        run(build(tmp_path, known=False))


def test_a_strategy_that_needs_a_model_cannot_come_first(world: SmallWorld) -> None:
    with pytest.raises(WinnowError, match="needs a trained model"):
        run(world, budget=5, first=PluginChoice(name="margin"))


def test_equal_settings_give_equal_bytes(world: SmallWorld) -> None:
    run(world, budget=15)
    first = (world.folder / "labels.parquet").read_bytes()
    run(world, budget=15)
    assert (world.folder / "labels.parquet").read_bytes() == first


def test_where_no_test_sample_has_a_label_it_says_so_before_minutes_of_training(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, budget=9)
    assert "evaluate" not in capsys.readouterr().err
    truth = oracle_file.read_oracle(world.folder / "oracle.parquet")
    tests = [world.ids[row] for row in range(len(world.ids)) if row not in set(world.train)]
    truth.loc[truth["id"].isin(tests), "class"] = None
    oracle_file.write_oracle(world.folder / "oracle.parquet", truth, CLASSES)
    run(world, budget=9)
    assert "test samples has a label, so `evaluate` will stop: `winnow label --test` asks" in capsys.readouterr().err
    world.answer((tests[0], "ant", "eva"))
    run(world, budget=9)
    assert "will stop" not in capsys.readouterr().err
