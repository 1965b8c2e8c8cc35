"""What a campaign is made of: which options and settings are refused, what goes on, and what begins anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from campaign_world import PARAMS, SMALL, TRAIN, write_source

from components.core.errors import WinnowError
from components.datasets.oracle import read_oracle, write_oracle
from pipelines.campaign.plan import Options, check_options, check_pool, make_plan


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rounds": 0}, "--rounds is 0: it must be 1 or more"),
        ({"budget": -1}, "--budget is -1"),
        ({"seeds": 0}, "--seeds is 0"),
        ({"start": 0}, "--start is 0"),
        ({"start": 1}, "needs labels of two classes"),
        ({"strategies": ("margn",)}, "unknown query strategy 'margn': did you mean 'margin'?"),
        ({"strategies": ("margin", "margin")}, "--strategy margin is there twice"),
        ({"strategies": ("random", "random")}, "--strategy random is there twice"),
    ],
)
def test_an_option_that_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(WinnowError) as error:
        check_options(replace(SMALL, **changes))
    assert says in str(error.value)


def test_settings_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match=r"label\.first is 'margin', which needs a trained model"):
        make_plan(SMALL, {**PARAMS, "label": {**PARAMS["label"], "first": {"name": "margin"}}})
    broken = {"strategy": {"name": "typiclust", "neighbors": 0}}
    with pytest.raises(WinnowError, match=r"neighbors is 0"):
        make_plan(replace(SMALL, strategies=("typiclust",)), {**PARAMS, "select": broken})
    with pytest.raises(WinnowError, match="random is what the others are held against: name another one"):
        make_plan(replace(SMALL, strategies=("random",)), PARAMS)
    with pytest.raises(WinnowError, match="--strategy 'bald' asks a model that was trained with dropout"):
        make_plan(replace(SMALL, strategies=("bald",)), PARAMS)
    (tmp_path / "unlabeled").mkdir()
    with pytest.raises(WinnowError, match="has no ground truth"):
        make_plan(SMALL, {**PARAMS, "ingest": {"source": str(tmp_path)}})


def test_the_source_must_know_all_the_truth_and_have_enough(tmp_path: Path) -> None:
    plan = make_plan(SMALL, PARAMS)
    write_source(tmp_path / "data/ingest")
    assert check_pool(plan, tmp_path) == ""
    assert check_pool(make_plan(replace(SMALL, rounds=6), PARAMS), tmp_path) == ""
    with pytest.raises(WinnowError, match=rf"45 labels .* are more than the {TRAIN} training samples"):
        check_pool(make_plan(replace(SMALL, rounds=7), PARAMS), tmp_path)
    write_source(tmp_path / "data/ingest", known=TRAIN - 3)
    with pytest.raises(WinnowError, match=rf"the class of 3 of the {TRAIN} training samples"):
        check_pool(plan, tmp_path)


def test_fewer_first_labels_than_classes_are_warned_of(tmp_path: Path) -> None:
    write_source(tmp_path / "data/ingest")
    oracle = tmp_path / "data/ingest/oracle.parquet"
    write_oracle(oracle, read_oracle(oracle), ["ant", "bee", "cat"])
    few, enough = (make_plan(replace(SMALL, start=count), PARAMS) for count in (2, 3))
    assert "cannot hold a label of each of the 3 classes" in check_pool(few, tmp_path)
    assert check_pool(enough, tmp_path) == ""


def test_more_rounds_seeds_and_strategies_go_on_and_other_settings_begin_anew(tmp_path: Path) -> None:
    def home(options: Options = SMALL, **blocks: Any) -> Path:
        return make_plan(options, {**PARAMS, **blocks}).home

    same = [replace(SMALL, rounds=9), replace(SMALL, seeds=1), replace(SMALL, strategies=("entropy",))]
    assert {home(options) for options in same} == {home()}
    assert home(seed=7, register={"name": "other"}, label={**PARAMS["label"], "budget": 3}) == home()
    others = [
        home(replace(SMALL, budget=6)),
        home(replace(SMALL, start=11)),
        home(threads=5),
        home(embed={"neighbors": 3}),
        home(label={**PARAMS["label"], "first": {"name": "random"}}),
    ]
    assert len({home(), *others}) == 6


def test_another_picture_in_the_folder_begins_anew(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"1")
    params = {**PARAMS, "ingest": {"source": str(tmp_path)}}
    before = make_plan(SMALL, params).home
    assert make_plan(SMALL, params).home == before
    (tmp_path / "ant/2.png").write_bytes(b"2")
    assert make_plan(SMALL, params).home != before


def test_a_strategys_options_come_from_the_settings_and_have_a_folder_of_their_own() -> None:
    options = replace(SMALL, strategies=("typiclust", "margin"))
    chosen = {"strategy": {"name": "typiclust", "neighbors": 5}}
    random, typiclust, margin = make_plan(options, {**PARAMS, "select": chosen}).arms
    assert (random.name, typiclust.choice.options, margin.choice.options) == ("random", {"neighbors": 5}, {})
    assert typiclust.folder != make_plan(options, PARAMS).arms[1].folder
    assert margin.folder == make_plan(options, PARAMS).arms[2].folder
