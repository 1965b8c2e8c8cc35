"""What the model abstains from: counted, said of its questions, and asked first where that is set."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from asking import labeled_world, queries, run
from small_world import SmallWorld

from components.core.plugins import load, names
from components.methods.contracts import Pool, Positions
from components.models.classifier import load_classifier
from components.models.prediction_sets import PredictionSets
from components.pages.reasons import undecided
from components.training.inference import predict


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return labeled_world(tmp_path)


def state(world: SmallWorld, sets: PredictionSets) -> None:
    """The model makes these prediction sets."""
    path = world.folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sets": sets.model_dump()}))


def hesitate(world: SmallWorld, count: int) -> set[str]:
    """The ids of so many candidates, the only ones whose prediction sets hold a second class from now on."""
    pool = world.train[20:]
    classifier, samples = load_classifier(world.folder / "model.safetensors"), np.load(world.folder / "samples.npy")
    second = np.sort(1 - predict(classifier, samples, pool).astype(np.float64), axis=1)[:, 1]
    order = np.argsort(second)
    state(world, PredictionSets(highest=float(second[order[count - 1 : count + 1]].mean()), labels=20))
    return {world.ids[row] for row in pool[order[:count]]}


def test_abstentions_are_counted_and_their_questions_say_so(world: SmallWorld) -> None:
    pool = world.train[20:].tolist()
    classifier, samples = load_classifier(world.folder / "model.safetensors"), np.load(world.folder / "samples.npy")
    scores = 1 - predict(classifier, samples, np.array(pool)).astype(np.float64)
    highest = float(np.median(np.sort(scores, axis=1)[:, 1]))  # so that half of the sets hold a second class
    state(world, PredictionSets(highest=highest, labels=20))
    metrics = run(world, budget=6)
    sizes = np.maximum((scores <= highest).sum(1), 1)  # the likeliest is always in
    assert 0 < metrics["pool_abstained"] == (sizes != 1).sum() < len(pool)
    asked = [int(sizes[pool.index(world.ids.index(row["id"]))]) for row in queries(world)]
    assert metrics["queries_abstained"] == sum(size != 1 for size in asked)
    page = (world.folder / "gallery.html").read_text()
    assert page.count("The model cannot decide between") == sum(size > 1 for size in asked) > 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, None),
        (2, "The model cannot decide between a and b at 95 % coverage."),
        (6, "The model cannot decide between a, b, c, d, e and f at 95 % coverage."),
        (8, "The model cannot decide between a, b, c, d, e and 3 others at 95 % coverage."),
    ],
)
def test_an_abstention_is_one_sentence(size: int, expected: str | None) -> None:
    assert undecided(list("abcdefghij")[:size], PredictionSets(coverage=0.95, highest=0.5, labels=40)) == expected


@pytest.mark.parametrize("strategy", names("query_strategy"))
def test_abstentions_come_first_where_that_is_set_and_others_fill_the_budget(world: SmallWorld, strategy: str) -> None:
    doubtful = hesitate(world, 15)
    metrics = run(world, strategy=strategy, budget=6, abstentions_first=True)
    few = [row["id"] for row in queries(world)]
    assert metrics["queries_abstained"] == len(set(few)) == 6
    assert set(few) < doubtful
    metrics = run(world, strategy=strategy, budget=40, abstentions_first=True)
    many = [row["id"] for row in queries(world)]
    assert metrics["queries_abstained"] == 15
    assert set(many[:15]) == doubtful
    assert len(set(many)) == 40
    assert set(many) <= {world.ids[row] for row in world.train[20:]}


def test_what_abstains_changes_no_question_unless_that_is_set(world: SmallWorld) -> None:
    run(world, budget=6)
    asked = queries(world)
    doubtful = hesitate(world, 15)
    run(world, budget=6)
    assert queries(world) == asked
    assert not {row["id"] for row in asked} <= doubtful


def test_of_abstentions_and_of_others_a_strategy_gets_what_the_model_says_of_them(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful, seen = hesitate(world, 15), list[Pool]()

    def query(self: object, pool: Pool, budget: int, generator: torch.Generator) -> Positions:
        seen.append(pool)
        return pool.candidates[:budget]

    for name in ("badge", "bald"):
        monkeypatch.setattr(load("query_strategy", name), "query", query)
        for first in (False, True):
            run(world, strategy=name, budget=20, abstentions_first=first)
    for whole, first, rest in (seen[:3], seen[3:]):
        assert {world.ids[position] for position in first.candidates} == doubtful
        np.testing.assert_array_equal(first.labeled, whole.labeled)
        np.testing.assert_array_equal(rest.labeled, np.union1d(whole.labeled, first.candidates))
        np.testing.assert_array_equal(np.union1d(first.candidates, rest.candidates), whole.candidates)
        for part in (first, rest):
            rows = np.searchsorted(whole.candidates, part.candidates)
            for said, of_all in ((part.features, whole.features), (part.draws, whole.draws)):
                assert (said is None) == (of_all is None)
                if said is not None and of_all is not None:
                    np.testing.assert_array_equal(said, of_all[rows] if of_all.ndim == 2 else of_all[:, rows])


def test_without_enough_labels_for_a_coverage_every_candidate_is_an_abstention(world: SmallWorld) -> None:
    state(world, PredictionSets(labels=3))
    assert run(world, budget=2)["pool_abstained"] == len(world.train) - 20
    assert "cannot decide" not in (world.folder / "gallery.html").read_text()
