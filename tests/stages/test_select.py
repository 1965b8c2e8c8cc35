"""The next questions: a table, tasks for a labeling tool and a page, or a plain word that the pool is exhausted."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from asking import OUTPUTS, label, labeled_world, queries, run
from small_world import CLASSES, SmallWorld

from components.core.errors import WinnowError
from components.core.plugins import load, names
from components.datasets.labels import Labels, write_labels
from components.datasets.ledger import append
from components.datasets.manifest import read_manifest
from components.methods.contracts import Pool, Positions
from components.models.classifier import load_classifier
from components.pages.gallery import Card, Example, write_gallery
from components.training.inference import predict
from tests.pictures import modality_of, write_manifest


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return labeled_world(tmp_path)


@pytest.mark.parametrize("strategy", names("query_strategy"))
def test_every_strategy_asks_its_budget_about_unlabeled_training_samples(world: SmallWorld, strategy: str) -> None:
    metrics = run(world, strategy=strategy, budget=7)
    asked = [row["id"] for row in queries(world)]
    assert metrics["queries"] == len(set(asked)) == 7
    assert set(asked) <= {world.ids[row] for row in world.train[20:]}
    assert metrics["pool"] == len(world.train) - 20
    assert all(row["reason"].endswith(".") for row in queries(world))


def test_the_guess_is_the_models(world: SmallWorld) -> None:
    run(world, budget=5)
    classifier = load_classifier(world.folder / "model.safetensors")
    samples = np.load(world.folder / "samples.npy")
    for row in queries(world):
        probabilities = predict(classifier, samples, np.array([world.ids.index(row["id"])]))[0]
        assert row["guess"] == CLASSES[probabilities.argmax()]
        assert float(row["confidence"]) == pytest.approx(probabilities.max(), abs=1e-4)


def test_the_model_is_less_sure_of_the_questions_than_of_the_pool(world: SmallWorld) -> None:
    metrics = run(world, budget=5)
    assert metrics["mean_query_confidence"] < metrics["mean_pool_confidence"]


def test_what_a_strategy_needs_of_the_model_is_there_and_no_more(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: dict[str, Pool] = {}
    for name in ("margin", "badge", "bald"):
        strategy = load("query_strategy", name)

        def query(self: object, pool: Pool, budget: int, generator: torch.Generator, name: str = name) -> Positions:
            pools[name] = pool
            return pool.candidates[:budget]

        monkeypatch.setattr(strategy, "query", query)
        run(world, strategy=name, budget=2)
    assert pools["margin"].features is None
    assert pools["margin"].draws is None
    candidates, probabilities = pools["badge"].candidates, pools["badge"].probabilities
    features, draws = pools["badge"].features, pools["bald"].draws
    assert features is not None
    assert draws is not None
    assert probabilities is not None
    head = load_classifier(world.folder / "model.safetensors").head
    again = head(torch.from_numpy(features)).softmax(1).detach().numpy()
    np.testing.assert_allclose(again, probabilities[candidates], atol=1e-5)
    assert draws.shape == (20, len(candidates), 3)
    np.testing.assert_allclose(draws.sum(2), 1, atol=1e-5)
    assert np.ptp(draws, axis=0).min() > 0


def test_a_model_without_dropout_cannot_be_asked_under_dropout(world: SmallWorld) -> None:
    path = world.folder / "model.json"
    path.write_text(path.read_text().replace('"dropout": 0.3', '"dropout": 0.0'))
    with pytest.raises(WinnowError, match=r"set finetune\.method: \{name: full, dropout: 0\.2\}"):
        run(world, strategy="bald")


def test_auto_says_once_what_it_asks_by_and_the_page_says_it_too(
    world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, strategy="auto", budget=3)
    said = "auto asks by margin, for 20 labels of 3 classes are at least 2 a class."
    assert capsys.readouterr().err == f"  select: {said}\n"
    assert said in (world.folder / "gallery.html").read_text()
    assert all(row["reason"].startswith("The two best guesses are") for row in queries(world))


def test_tasks_are_the_queries_in_the_labeling_tools_form(world: SmallWorld) -> None:
    run(world, budget=4)
    tasks = json.loads((world.folder / "tasks.json").read_text())
    for task, row in zip(tasks, queries(world), strict=True):
        assert (task["data"]["id"], task["data"]["image"]) == (row["id"], row["path"])
        result = task["predictions"][0]["result"][0]
        assert result["value"]["choices"] == [row["guess"]]
        assert {"from_name", "to_name", "type"} <= result.keys()


def test_the_page_shows_every_question_and_loads_nothing(world: SmallWorld) -> None:
    run(world, budget=4)
    page = (world.folder / "gallery.html").read_text()
    for row in queries(world):
        assert row["id"] in page
        assert row["reason"] in page
    assert page.count('<li class="card"') == 4
    assert page.count("data:image/png;base64,") == 8  # the sample and its nearest labeled one
    assert not re.search(r"""(src|href)=["']?(https?:|//|/)""", page)


def test_the_nearest_labeled_sample_is_shown(world: SmallWorld) -> None:
    run(world, budget=1, strategy="random")
    unit = np.load(world.folder / "embeddings.npy")
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    similarity = unit[world.train[:20]] @ unit[world.ids.index(queries(world)[0]["id"])]
    expected = CLASSES[world.classes[world.train[similarity.argmax()]]]
    page = (world.folder / "gallery.html").read_text()
    assert f"Nearest labeled sample: <b>{expected}</b> (similarity {similarity.max():.2f})" in page


def test_markup_in_names_is_text_on_the_page(world: SmallWorld) -> None:
    hostile = "<script>alert(1)</script>"
    label(world, 20, classes=["ant", "b'ee\"", hostile])
    manifest: pd.DataFrame = read_manifest(world.folder / "manifest.parquet")
    manifest["path"] = '"><img src=x onerror=alert(1)>'
    write_manifest(world.folder / "manifest.parquet", manifest)
    run(world, budget=5)
    page = (world.folder / "gallery.html").read_text()
    assert hostile not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_many_classes_get_buttons_for_the_likeliest_and_a_field(tmp_path: Path) -> None:
    names_ = [f"class {number}" for number in range(40)]
    sample, chances = np.zeros((1, 8, 8), np.uint8), [(name, 1 / 40) for name in reversed(names_)]
    card = Card("a", "p", 1, "Why.", chances, sample, Example(sample, "x", 0.5))
    write_gallery(tmp_path / "g.html", [card], modality_of(), classes=names_, strategy="random", pool=9, labels=3)
    page = (tmp_path / "g.html").read_text()
    assert page.count("data-label=") == 10
    assert page.index('data-label="class 30"') < page.index('data-label="class 39"')  # the likeliest is not first
    assert 'data-label="class 39"' in page
    assert page.count("<option") == 40


def test_what_nobody_could_name_is_not_asked_again_unless_somebody_names_it_or_takes_that_back(
    world: SmallWorld,
) -> None:
    run(world, budget=3)
    first, second, third = [row["id"] for row in queries(world)]
    base = {"annotator": "ann", "source": "person", "label": ""}
    ledger = world.folder / "ledger.csv"
    append(ledger, [{**base, "id": first, "note": "cannot tell"}, {**base, "id": second, "note": "none of these"}])
    append(ledger, [{**base, "id": third, "note": "gone"}, {**base, "id": second, "note": "retracted"}])
    assert run(world, budget=len(world.train))["pool"] == len(world.train) - 21
    asked = {row["id"] for row in queries(world)}
    assert first not in asked
    assert {second, third} <= asked
    world.answer((first, "ant", "bob"))
    assert run(world, budget=3)["pool"] == len(world.train) - 20


def test_the_page_says_the_guess_after_the_answers_and_saves_a_file(world: SmallWorld) -> None:
    run(world, budget=2)
    page = (world.folder / "gallery.html").read_text()
    card = page.split('<li class="card"')[1]
    assert card.index("data-label=") < card.index("<details>") < card.index("Guess")
    assert 'id="save"' in page
    assert page.count("data-passed=") == 4
    first = page.split('RUN = "')[1].split('"')[0]
    run(world, budget=3)
    assert first not in (world.folder / "gallery.html").read_text()  # another run's answers are kept apart


def test_an_exhausted_pool_is_said_and_is_no_error(world: SmallWorld) -> None:
    label(world, len(world.train))
    metrics = run(world)
    assert metrics["pool_exhausted"] == 1
    assert metrics["queries"] == 0
    assert queries(world) == []
    assert (world.folder / "queries.csv").read_text() == "id,path,rank,guess,confidence,reason\n"
    assert json.loads((world.folder / "tasks.json").read_text()) == []
    assert "The pool is exhausted" in (world.folder / "gallery.html").read_text()


def test_a_pool_smaller_than_the_budget_is_asked_about_whole(world: SmallWorld) -> None:
    label(world, len(world.train) - 3)
    assert run(world, budget=20)["queries"] == 3


def test_equal_settings_give_equal_bytes(world: SmallWorld) -> None:
    run(world, budget=6)
    first = [(world.folder / name).read_bytes() for name in OUTPUTS]
    run(world, budget=6)
    assert [(world.folder / name).read_bytes() for name in OUTPUTS] == first


def test_labels_worth_a_second_look_are_listed_and_shown_and_nothing_is_changed(world: SmallWorld) -> None:
    rows = world.train[:90]
    wrong = [3, 10, 17, 40, 71]
    numbers = world.classes[rows].copy()
    numbers[wrong] = (numbers[wrong] + 1) % 3
    ids = [world.ids[row] for row in rows]
    labels = Labels(ids, np.eye(3, dtype=np.float32)[numbers], ["person"] * 90, np.arange(90) % 5, CLASSES)
    write_labels(world.folder / "labels.parquet", labels)
    before = (world.folder / "labels.parquet").read_bytes()
    metrics = run(world)
    with (world.folder / "suspects.csv").open(encoding="utf-8", newline="") as file:
        suspects = {row["id"]: row for row in csv.DictReader(file)}
    assert set(suspects) == {ids[row] for row in wrong}
    assert metrics["labels_suspect"] == 5
    assert (world.folder / "labels.parquet").read_bytes() == before
    first = suspects[ids[3]]
    assert (first["label"], first["said"]) == (CLASSES[numbers[3]], CLASSES[world.classes[rows[3]]])
    page = (world.folder / "gallery.html").read_text()
    section = page.split("Labels worth a second look")[1].split("Your answers")[0]
    assert all(f'data-id="{ids[row]}"' in section for row in wrong)
    assert section.count("data:image/png") == 5


def test_too_few_labels_put_none_in_doubt(world: SmallWorld) -> None:
    assert run(world)["labels_suspect"] == 0
    assert "second look" not in (world.folder / "gallery.html").read_text()
    assert (world.folder / "suspects.csv").read_text() == "id,path,label,source,said,confidence\n"
