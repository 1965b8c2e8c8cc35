"""A table of texts goes through all stages with a vocabulary that was learned and a language model, to answers."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.core.config import read_params
from components.models.classifier import load_classifier
from components.models.serving import ServedModel
from components.release.package import package
from pipelines import predict
from pipelines.inline import LABELED, PROJECT, UNLABELED, run_stages
from pipelines.settings_together import check_together
from pipelines.texts import POLICIES
from tests.texts import WORDS, about, records_of

ASKED = ["Salt wave and tide, the boat", "An owl, a fern, the oak and the moss"]
SETTINGS: dict[str, Any] = {
    "ingest.modality": {"name": "text", "vocabulary": "bpe", "most": 300, "length": 32},
    "augment.policies": POLICIES,
    "pretrain.method": {"name": "masked_lm"},
    "pretrain.encoder": {"name": "transformer", "width": 32, "depth": 1, "heads": 2},
    "pretrain.epochs": 8,
    "pretrain.batch_size": 32,
    "pretrain.learning_rate": 0.005,
    "pretrain.workers": 0,
    "label.budget": 24,
    "finetune.method": {"name": "linear_probe"},
}
STEPPED = ("epochs", "guard_epochs", "batch_size", "learning_rate", "weight_decay", "warmup_epochs")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stages up to what to ask next, run on texts about three things."""
    home = tmp_path_factory.mktemp("texts")
    texts, topics = about(300)
    with (home / "notes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows((text, list(WORDS)[topic]) for text, topic in zip(texts, topics, strict=True))
    params = read_params(PROJECT / "params.yaml")
    for name, value in {**SETTINGS, "ingest.source": str(home / "notes.csv"), "ingest.leaks": "drop"}.items():
        block, _, setting = name.partition(".")
        params[block][setting] = value
    for name in STEPPED:
        params["finetune"].pop(name, None)
    params = {**params, "threads": 1}
    check_together(params)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        run_stages([*UNLABELED, *LABELED, "select"], home, params)
    return home


def test_the_vocabulary_travels_in_the_models_file(project: Path) -> None:
    kept = json.loads((project / "data/finetune/model.json").read_text())["encoder"]["inputs"]
    measured = json.loads((project / "data/augment/policy.json").read_text())
    assert kept == {name: measured[name] for name in ("modality", "statistics")}
    assert len(kept["statistics"]["counts"]) == 256 + len(kept["statistics"]["merges"]) <= 300


def test_what_was_learned_is_in_the_history_and_names_what_texts_are_about(project: Path) -> None:
    history = pd.read_csv(project / "data/pretrain/history.csv")
    assert history["masked_accuracy"].iloc[-1] > history["masked_accuracy"].iloc[0]
    figures = json.loads((project / "data/evaluate/metrics.json").read_text())
    assert figures["accuracy"] > 0.8


def test_typed_texts_and_clients_get_the_same_answers(project: Path, tmp_path: Path) -> None:
    weights = project / "data/finetune/model.safetensors"
    classifier = load_classifier(weights)
    guesses = list(predict._guesses(classifier, ASKED, {}))
    package(classifier, weights, records_of(ASKED), tmp_path / "version")
    served = ServedModel(classifier).predict(np.array(ASKED))
    np.testing.assert_allclose(served, [guess.probabilities for guess in guesses], atol=1e-6)
    assert [classifier.spec.classes[number] for number in served.argmax(1)] == ["sea", "wood"]
