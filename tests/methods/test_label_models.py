"""Label models: EM climbs, good annotators are told from bad ones, and with one vote an item nothing is made up."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import crowd
from components.core.config import PluginChoice
from components.core.plugins import build, names
from components.methods.label_models import LabelModel, Votes, accuracies
from components.methods.label_models.data_programming import DataProgramming
from components.methods.label_models.dawid_skene import DawidSkene

EVERY = names("label_model")
FITTED = [name for name in EVERY if name != "majority_vote"]


def model(name: str, **options: float) -> LabelModel:
    built: LabelModel = build("label_model", PluginChoice(name=name, **options), where="test")
    return built


def world(rights: Sequence[float], items: int = 300, classes: int = 3, asked: float = 1.0, seed: int = 0) -> tuple:
    """Votes of annotators who are right with the given chances on a random share of items, and the truth."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, items)
    triples = []
    for annotator, right in enumerate(rights):
        for item in np.flatnonzero(generator.random(items) < asked):
            wrong = (truth[item] + generator.integers(1, classes)) % classes
            triples.append((item, annotator, truth[item] if generator.random() < right else wrong))
    columns = np.array(triples, np.int64).T
    return Votes(*columns, (items, len(rights), classes)), truth


def unipolar(seed: int = 0, items: int = 2000) -> tuple[Votes, np.ndarray]:
    """Rules that name one class each and abstain elsewhere: three classes, three rules a class, one of them bad."""
    generator = np.random.default_rng(seed)
    truth, triples = generator.integers(0, 3, items), []
    for rule in range(9):
        named, (hit, miss) = rule // 3, [(0.5, 0.03), (0.4, 0.05), (0.15, 0.15)][rule % 3]
        speaks = generator.random(items) < np.where(truth == named, hit, miss)
        triples += [(item, rule, named) for item in np.flatnonzero(speaks)]
    return Votes(*np.array(triples, np.int64).T, (items, 9, 3)), truth


@pytest.mark.parametrize("name", EVERY)
def test_rows_are_distributions_and_agreement_is_kept(name: str) -> None:
    votes, truth = world([0.9, 0.8, 0.85, 0.9])
    fitted = model(name).fit(votes)
    assert fitted.shape == (300, 3)
    np.testing.assert_allclose(fitted.sum(1), 1)
    assert (fitted >= 0).all()
    unanimous = votes.counts().max(1) == 4
    assert (fitted.argmax(1)[unanimous] == votes.counts().argmax(1)[unanimous]).all()
    assert (fitted.argmax(1) == truth).mean() > 0.93


@pytest.mark.parametrize("name", EVERY)
def test_with_one_annotator_per_item_every_model_gives_the_votes(name: str) -> None:
    generator = np.random.default_rng(1)
    votes = Votes(np.arange(50), generator.integers(0, 4, 50), generator.integers(0, 3, 50), (50, 4, 3))
    np.testing.assert_array_equal(model(name).fit(votes), np.eye(3)[votes.classes])


@pytest.mark.parametrize("name", EVERY)
def test_who_shares_no_item_with_others_is_taken_at_their_word(name: str) -> None:
    votes, _ = world([0.9, 0.6, 0.7], items=40)
    more = Votes(
        np.concatenate([votes.items, [40, 41]]),
        np.concatenate([votes.annotators, [3, 3]]),
        np.concatenate([votes.classes, [2, 0]]),
        (42, 4, 3),
    )
    fitted = model(name).fit(more)
    np.testing.assert_array_equal(fitted[40:], np.eye(3)[[2, 0]])
    np.testing.assert_array_equal(fitted[:40], model(name).fit(votes))


@pytest.mark.parametrize("name", EVERY)
def test_a_class_that_nobody_names_gets_nothing_and_an_item_without_votes_all_alike(name: str) -> None:
    votes, _ = world([0.9, 0.6, 0.7], items=40)
    wider = Votes(votes.items, votes.annotators, votes.classes, (41, 3, 5))
    fitted = model(name).fit(wider)
    assert (fitted[:40, 3:] == 0).all()
    np.testing.assert_array_equal(fitted[:40, :3], model(name).fit(votes))
    np.testing.assert_allclose(fitted[40], 0.2)


@pytest.mark.parametrize("name", EVERY)
def test_the_order_of_annotators_and_of_votes_changes_nothing(name: str) -> None:
    votes, _ = world([0.9, 0.5, 0.7, 0.6, 0.8], asked=0.6)
    generator = np.random.default_rng(2)
    order, renamed = generator.permutation(len(votes.items)), generator.permutation(5)
    shuffled = Votes(votes.items[order], renamed[votes.annotators[order]], votes.classes[order], votes.shape)
    np.testing.assert_allclose(model(name).fit(shuffled), model(name).fit(votes), atol=1e-6)


@pytest.mark.parametrize("name", EVERY)
def test_renaming_the_classes_renames_the_answer(name: str) -> None:
    votes, _ = world([0.9, 0.5, 0.7, 0.6, 0.8], asked=0.6)
    renamed = np.array([2, 0, 1])
    swapped = Votes(votes.items, votes.annotators, renamed[votes.classes], votes.shape)
    np.testing.assert_allclose(model(name).fit(swapped)[:, renamed], model(name).fit(votes), atol=1e-6)


@pytest.mark.parametrize("plugin", [DawidSkene, DataProgramming])
@pytest.mark.parametrize("seed", range(5))
def test_the_objective_never_falls(plugin: type[DawidSkene] | type[DataProgramming], seed: int) -> None:
    votes, _ = world([0.9, 0.4, 0.6, 0.35, 0.7], asked=0.5, seed=seed)
    values = plugin(plugin.Config()).trace(votes, 30)
    assert np.diff(values).min() >= -1e-9 * abs(values[0])
    assert values[-1] > values[0]


@pytest.mark.parametrize("name", FITTED)
def test_a_perfect_annotator_and_a_random_one_are_told_apart(name: str) -> None:
    votes, truth = world([1.0, 1 / 3, 0.7, 0.7, 0.7])
    fitted = model(name).fit(votes)
    quality = accuracies(votes, fitted)
    assert quality[0] > 0.9
    assert quality[1] < 0.42
    assert np.abs(quality[2:] - 0.7).max() < 0.08
    assert (fitted.argmax(1) == truth).mean() > (votes.counts().argmax(1) == truth).mean() + 0.05


def test_dawid_skene_turns_a_liar_around() -> None:
    votes, truth = world([0.75, 0.75, 0.75, 0.0], classes=2, items=400)
    fitted = model("dawid_skene").fit(votes)
    assert accuracies(votes, fitted)[3] < 0.03
    assert (votes.counts().argmax(1) == truth).mean() < 0.75
    assert (fitted.argmax(1) == truth).mean() > 0.97


def test_an_annotator_with_one_vote_cannot_overrule_two_known_good_ones() -> None:
    votes, _ = world([0.9, 0.9, 0.9], items=60)
    counts = votes.counts()
    item = int(np.flatnonzero(counts.max(1) == 3)[0])
    said = int(counts[item].argmax())
    more = Votes(
        np.append(votes.items, item),
        np.append(votes.annotators, 3),
        np.append(votes.classes, (said + 1) % 3),
        (60, 4, 3),
    )
    fitted = model("dawid_skene").fit(more)
    assert fitted[item, said] > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_rules_that_name_one_class_are_weighed_and_a_bad_one_is_found(seed: int) -> None:
    votes, truth = unipolar(seed)
    fitted = model("data_programming").fit(votes)
    spoken = votes.counts().sum(1) > 0
    shares = votes.shares()
    best = shares == shares.max(1, keepdims=True)
    majority = (best[np.arange(len(truth)), truth] / best.sum(1))[spoken].mean()  # ties by chance
    assert (fitted.argmax(1) == truth)[spoken].mean() > majority + 0.03
    quality = accuracies(votes, fitted)
    measured = accuracies(votes, np.eye(3)[truth])
    assert quality[2::3].max() < min(quality[0::3].min(), quality[1::3].min())
    assert np.abs(quality - measured).max() < 0.15


def test_a_lone_bad_rule_is_not_believed() -> None:
    votes, _ = unipolar()
    fitted = model("data_programming").fit(votes)
    lone = (votes.counts().sum(1) == 1)[votes.items] & (votes.annotators == 2)  # a bad rule of class 0
    assert lone.any()
    assert fitted[votes.items[lone], 0].max() < 0.9


@pytest.mark.parametrize("name", FITTED)
def test_three_answers_of_many_people_on_a_rare_class_are_not_turned_around(name: str) -> None:
    generator = np.random.default_rng(0)
    truth = (generator.random(3000) < 0.12).astype(int)
    active = generator.pareto(1.0, 120) + 0.05
    right = np.clip(generator.normal([[0.95], [0.75]], 0.1, (2, 120)), 0.4, 1)
    who = np.stack([generator.choice(120, 3, replace=False, p=active / active.sum()) for _ in truth])
    said = np.where(generator.random(who.shape) < right[truth[:, None], who], truth[:, None], 1 - truth[:, None])
    votes = Votes(np.arange(3000).repeat(3), who.ravel(), said.ravel(), (3000, 120, 2))
    majority = (votes.counts().argmax(1) == truth).mean()
    assert (model(name).fit(votes).argmax(1) == truth).mean() > majority - 0.005


@pytest.mark.parametrize("seed", range(3))
def test_dawid_skene_is_what_a_dense_em_written_from_the_paper_gives(seed: int) -> None:
    votes, _ = world([0.9, 0.5, 0.7, 0.6], asked=0.7, seed=seed, items=80)
    heard = np.unique(votes.items)
    fitted = model("dawid_skene", right=0.8, wrong=0.3, steps=40, tolerance=1e-300).fit(votes)
    np.testing.assert_allclose(fitted[heard], _dense(votes, 0.8, 0.3, 40)[heard], atol=1e-9)


def _dense(votes: Votes, right: float, wrong: float, rounds: int) -> np.ndarray:
    """Posteriors from a dense table of who said what, by loops over the paper's equations, counts added."""
    items, annotators, classes = votes.shape
    said = np.zeros((items, annotators, classes))
    said[votes.items, votes.annotators, votes.classes] = 1
    heard = said.sum((1, 2)) > 0
    said = said[heard]
    belief = said.sum(1) / said.sum((1, 2))[:, None]
    for _ in range(rounds):
        share = (belief.sum(0) + 1) / (belief.sum() + classes)
        chance = np.zeros((annotators, classes, classes))
        for a in range(annotators):
            for j in range(classes):
                row = [(belief[:, j] * said[:, a, m]).sum() + (right if m == j else wrong) for m in range(classes)]
                chance[a, j] = np.array(row) / sum(row)
        belief = np.array([[share[j] * np.prod(chance[:, j] ** one) for j in range(classes)] for one in said])
        belief /= belief.sum(1, keepdims=True)
    every = np.full((items, classes), 1 / classes)
    every[heard] = belief
    return every


def test_majority_vote_is_cleanlabs_where_no_classes_tie() -> None:
    from cleanlab.multiannotator import get_majority_vote_label

    votes, _ = world([0.8, 0.6, 0.5, 0.7, 0.9], asked=0.7)
    wide = np.full(votes.shape[:2], np.nan)
    wide[votes.items, votes.annotators] = votes.classes
    counts = np.sort(votes.counts(), axis=1)
    clear = counts[:, -1] > counts[:, -2]
    theirs = get_majority_vote_label(wide[clear], verbose=False)
    assert clear.sum() > 100
    np.testing.assert_array_equal(model("majority_vote").fit(votes)[clear].argmax(1), theirs)


def test_on_ducks_seen_by_a_real_crowd_the_fitted_models_beat_majority_vote(shared_data: Callable[[str], Path]) -> None:
    votes, truth = crowd.read_crowd(shared_data(crowd.ARCHIVE), "duck_identification")
    assert votes.shape == (108, 39, 2)
    right = {name: (model(name).fit(votes).argmax(1) == truth).mean() for name in EVERY}
    assert min(right[name] for name in FITTED) > right["majority_vote"] + 0.05
