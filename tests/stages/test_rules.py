"""Rules go beside labels through all stages: people win, they validate nothing, and without labels they stand in."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.core.config import read_params
from components.datasets.labels import read_labels
from components.datasets.manifest import read_manifest
from components.datasets.pseudo_labels import read_pseudo_labels
from components.datasets.rule_labels import read_rule_figures, read_rule_labels
from pipelines.inline import LABELED, PROJECT, RULES, UNLABELED, run_stages, share
from pipelines.texts import POLICIES, SPREAD
from tests.texts import WORDS, about

SETTINGS: dict[str, Any] = {
    "ingest.modality": {"name": "text", "seen": 1},
    "ingest.leaks": "drop",
    "augment.policies": POLICIES,
    "pretrain.method": {"name": "word2vec"},
    "pretrain.encoder": {"name": "word_vectors", "width": 16},
    "pretrain.epochs": 5,
    "pretrain.batch_size": 32,
    "pretrain.workers": 0,
    "pseudo_label.method": SPREAD,
    "pseudo_label.threshold": 0.4,
    "finetune.method": {"name": "linear_probe"},
}
STEPPED = ("epochs", "guard_epochs", "batch_size", "learning_rate", "weight_decay", "warmup_epochs")
TABLE = "kind,pattern,class,name\nkeyword,boat,sea,\nregex,\\b(wave|tide)s?\\b,sea,water\nkeyword,tram,city,\n"
TABLE += (
    "keyword,bridge,city,\nkeyword,owl,wood,\nregex,o[a]k,wood,\nkeyword,anchor,wood,a wrong one\nkeyword,zebra,sea,\n"
)


def _params(source: str, **changes: Any) -> dict[str, Any]:
    params = read_params(PROJECT / "params.yaml")
    for name in STEPPED:
        params["finetune"].pop(name, None)
    for name, value in {**SETTINGS, "ingest.source": source, **changes}.items():
        block, _, setting = name.partition(".")
        params[block][setting] = value
    return {**params, "threads": 1}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes before labels, of texts about three things."""
    home = tmp_path_factory.mktemp("ruled")
    texts, topics = about(240)
    with (home / "notes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows((text, list(WORDS)[topic]) for text, topic in zip(texts, topics, strict=True))
    run_stages(UNLABELED, home, _params(str(home / "notes.csv")))
    return home


def _run(base: Path, place: Path, budget: int, table: str = TABLE, stages: tuple[str, ...] = LABELED) -> Path:
    share(base, place)
    (place / RULES).parent.mkdir(parents=True, exist_ok=True)
    (place / RULES).write_text(table)
    run_stages(stages, place, _params(str(base / "notes.csv"), **{"label.budget": budget}))
    return place / "data"


def _metrics(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "evaluate/metrics.json").read_text())
    return found


@pytest.fixture(scope="module")
def few(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(base, tmp_path_factory.mktemp("few"), 12)


@pytest.fixture(scope="module")
def none(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(base, tmp_path_factory.mktemp("none"), 0, stages=(*LABELED, "select"))


def test_rules_cost_no_budget_and_are_no_labels_in_force_where_every_class_has_one(few: Path) -> None:
    labels = read_labels(few / "label/labels.parquet")
    assert labels.used == len(labels.ids) == _metrics(few)["labels_used"] == 12
    assert labels.ruled == 0
    assert "rule" not in labels.sources


def test_rules_speak_of_training_samples_alone(few: Path) -> None:
    spoken, said = read_rule_labels(few / "label/rule_labels.parquet")
    split = read_manifest(few / "ingest/manifest.parquet").set_index("id")["split"]
    assert set(split.loc[spoken]) == {"train"}
    assert len(said) == len(spoken) > 60
    assert np.allclose(said.sum(1), 1)


def test_pseudo_labels_hold_what_rules_say_and_never_a_sample_that_has_a_label(few: Path, base: Path) -> None:
    labels = read_labels(few / "label/labels.parquet")
    made = read_pseudo_labels(few / "pseudo_label/pseudo_labels.parquet")
    assert not {*labels.ids} & {*made.ids}
    without = _run(base, few.parent / "without", 12, "kind,pattern,class\n", ("label", "pseudo_label"))
    plain = read_pseudo_labels(without / "pseudo_label/pseudo_labels.parquet")
    assert plain.ids == made.ids
    assert not np.allclose(plain.distributions, made.distributions)


def test_the_figures_of_each_rule_are_counted_on_training_samples_and_their_labels(few: Path) -> None:
    table = read_rule_figures(few / "label/rule_figures.csv").set_index("rule")
    assert table.loc["zebra", "matches"] == 0
    assert (table["right"] <= table["labeled"]).all()
    assert (table["conflicts"] <= table["shared"]).all()
    assert (table["shared"] <= table["matches"]).all()
    assert table.loc["a wrong one", "right"] == 0
    assert table.loc["water", "pattern"] == r"\b(wave|tide)s?\b"
    assert table.loc["boat", "line"] == 2


def test_without_a_label_the_rules_stand_in_and_validate_nothing(none: Path) -> None:
    labels, metrics = read_labels(none / "label/labels.parquet"), _metrics(none)
    assert labels.ruled == len(labels.ids) > 60
    assert {*labels.sources} == {"rule"}
    assert {*labels.folds.tolist()} == {-1}
    assert labels.used == metrics["labels_used"] == 0
    assert metrics["accuracy"] > 0.7
    guard = json.loads((none / "finetune/guard.json").read_text())
    assert "no label could be held out" in guard["why"]
    assert guard["held_out"] == 0


def test_without_a_label_every_training_sample_may_be_asked_about(none: Path) -> None:
    asked = pd.read_csv(none / "select/queries.csv", dtype={"id": str})
    assert len(asked) == 20
    assert {*asked["id"]} & {*read_labels(none / "label/labels.parquet").ids}
    assert "Nearest labeled" not in (none / "select/gallery.html").read_text()


def test_rules_stand_in_only_where_a_class_has_no_label_and_people_win(base: Path, tmp_path: Path) -> None:
    spoken, _ = read_rule_labels(_run(base, tmp_path / "first", 0, stages=("label",)) / "label/rule_labels.parquet")
    place = tmp_path / "second"
    (place / "data/labels").mkdir(parents=True)
    rows = f"{spoken[0]},sea,me,person,,,,\n{spoken[1]},city,me,person,,,,\n"
    (place / "data/labels/ledger.csv").write_text("id,label,annotator,source,round,cost,at,note\n" + rows)
    labels = read_labels(_run(base, place, 0, stages=("label",)) / "label/labels.parquet")
    assert labels.ids[:2] == sorted(spoken[:2])
    assert labels.used == 2
    assert labels.ruled == len(labels.ids) - 2 == len(spoken) - 2
    assert labels.vouched.sources == ["person", "person"]
    assert not {*labels.vouched.ids} & {*labels.ids[2:]}


def test_the_same_rules_make_the_same_bytes(few: Path, base: Path, tmp_path: Path) -> None:
    again = _run(base, tmp_path, 12, stages=("label", "pseudo_label"))
    for name in ("label/rule_labels.parquet", "label/rule_figures.csv", "pseudo_label/pseudo_labels.parquet"):
        assert (again / name).read_bytes() == (few / name).read_bytes()
    shutil.rmtree(tmp_path / "data")
