"""A folder of clips goes through all stages with views of frames, to answers on files and to clients."""

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
from tests.clips import CLASSES, write_clips

VIEW = {"crop": [0.8, 1.0], "gain": 6.0, "equalizer": 6.0, "noise": 0.5, "warp": 0.1, "time_mask": 0.1}
SETTINGS: dict[str, Any] = {
    "ingest.near_duplicates": "exact",
    "ingest.modality": {"name": "speech", "sample_rate": 8000, "seconds": 0.5},
    "augment.policies": {"weak": {"gain": 6.0}, "view": VIEW, "strong": {**VIEW, "band_mask": 0.1}},
    "pretrain.encoder": {"name": "mel_network", "width": 24},
    "pretrain.epochs": 10,
    "pretrain.batch_size": 32,
    "pretrain.workers": 0,
    "label.budget": 24,
    "finetune.epochs": 4,
    "finetune.guard_epochs": 0,
    "finetune.batch_size": 16,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stages up to what to ask next, run on tones of three kinds."""
    home = tmp_path_factory.mktemp("clips")
    write_clips(home / "recordings", 240)
    params = read_params(PROJECT / "params.yaml")
    for name, value in {**SETTINGS, "ingest.source": str(home / "recordings")}.items():
        block, _, setting = name.partition(".")
        params[block][setting] = value
    params = {**params, "threads": 1}
    check_together(params)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        run_stages([*UNLABELED, *LABELED, "select", "audit"], home, params)
    return home


def test_they_are_read_learned_and_judged(project: Path) -> None:
    figures = json.loads((project / "data/evaluate/metrics.json").read_text())
    assert figures["accuracy"] > 0.8
    manifest = pd.read_parquet(project / "data/ingest/manifest.parquet")
    assert set(manifest["rate"]) == {8000}
    assert "statistics of cepstral coefficients" in json.dumps(figures["baselines"])


def test_the_page_of_questions_plays_them(project: Path) -> None:
    page = (project / "data/select/gallery.html").read_text()
    assert page.count("<audio") >= 20
    assert "data:audio/wav;base64," in page
    assert page.count("<polygon") == page.count("<audio")


def test_files_and_clients_get_the_answers_of_the_model(project: Path, tmp_path: Path) -> None:
    weights = project / "data/finetune/model.safetensors"
    classifier = load_classifier(weights)
    files = sorted((project / "recordings/rises").glob("*.wav"))[:4]
    guesses = list(predict._guesses(classifier, files, {}))
    kind = classifier.spec.encoder.inputs.kind
    records = np.zeros((4, 4000), np.int16)
    for row, file in zip(records, files, strict=True):
        found = kind.read(file.read_bytes()).values
        row[: len(found)] = found
    package(classifier, weights, records, tmp_path / "version")
    served = ServedModel(classifier).predict(kind.to_client(records))
    np.testing.assert_allclose(served, [guess.probabilities for guess in guesses], atol=1e-5)
    assert np.mean(served.argmax(1) == CLASSES.index("rises")) >= 0.75
