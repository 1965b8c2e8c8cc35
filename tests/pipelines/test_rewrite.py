"""`winnow rewrite` on a small project of texts: guesses of a language model, a translation there and back; refusals."""

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmarks._pipeline import settings
from components.core.errors import WinnowError
from components.modalities.views import read_views
from pipelines import rewrite
from pipelines.inline import run_stages
from tests.models.test_translator import OTHERS, T5, TINY, WORDS
from tests.models.test_translator import _folder as folder_of
from tests.texts import about

LM = {"method": {"name": "masked_lm"}, "encoder": {"name": "transformer", "width": 16, "depth": 1, "heads": 2}}
PLAIN: dict[str, object] = {name: {} for name in ("weak", "view", "strong")}


def _params(folder: Path, **changes: object) -> dict[str, object]:
    own = {"source": str(folder / "texts.csv"), "modality": {"name": "text", "length": 16}, "near_duplicates": "off"}
    training = {**LM, "epochs": 1, "batch_size": 32, "learning_rate": 0.01, "workers": 0}
    return settings(ingest=own, augment={"policies": PLAIN}, pretrain=training, **changes)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rewrite")
    said, topics = about(90)
    pd.DataFrame({"text": said, "label": topics.astype(str)}).to_csv(folder / "texts.csv", index=False)
    params = _params(folder)
    run_stages(["ingest", "validate", "augment", "pretrain"], folder, params)
    (folder / "params.yaml").write_text(json.dumps(params))
    return folder


def test_what_a_language_model_guesses_is_kept_and_then_seen(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    encoder = Path("data/pretrain/encoder.safetensors")
    rewrite.infill(encoder, epochs=2, share=0.3, versions=2)
    path = rewrite.RESULTS / "infill.parquet"
    first, said = path.read_bytes(), capsys.readouterr()
    assert str(path) in said.out
    assert "of hidden words it names" in said.err
    rewrite.infill(encoder, epochs=2, share=0.3, versions=2)
    assert path.read_bytes() == first
    table, manifest = pd.read_parquet(path), pd.read_parquet("data/ingest/manifest.parquet")
    training = manifest[manifest["split"] == "train"]
    assert set(table["id"]) == set(training["id"])
    assert len(table) > 1.5 * len(training)
    known = {word for text in about(90)[0] for word in text.split()}
    assert {word for text in table["text"] for word in text.split()} <= known
    policies = {**PLAIN, "view": {"rewritten": {"chance": 1.0, "file": str(path)}}}
    run_stages(["augment"], project, {**_params(project), "augment": {"policies": policies}})
    views = read_views(project / "data/augment/policy.json")
    assert "rewritten" in views.modality.ladder


def test_what_was_translated_back_is_a_version(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    shape = T5.Shape.model_validate({k: v for k, v in TINY.items() if k != "model_type"} | {"num_decoder_layers": 1})
    model = folder_of(project / "model", T5(shape))
    rewrite.back_translation(rewrite.Ways(model), rewrite.Ways(model), versions=1, among=2)
    first = (rewrite.RESULTS / "back_translation.parquet").read_bytes()
    table = pd.read_parquet(rewrite.RESULTS / "back_translation.parquet")
    assert {word for text in table["text"] for word in text.split()} <= {*WORDS, *OTHERS}  # what it knows to say
    rewrite.back_translation(rewrite.Ways(model), rewrite.Ways(model), versions=1, among=2)
    assert (rewrite.RESULTS / "back_translation.parquet").read_bytes() == first


def test_what_cannot_be_done_is_said(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    encoder = Path("data/pretrain/encoder.safetensors")
    for share, epochs in ((0.0, 1), (1.0, 1), (0.2, 0)):
        with pytest.raises(WinnowError, match="above 0"):
            rewrite.infill(encoder, epochs=epochs, share=share, versions=1)
    with pytest.raises(WinnowError, match="is missing"):
        rewrite.infill(tmp_path / "encoder.safetensors", epochs=1, share=0.2, versions=1)
    with pytest.raises(WinnowError, match="holds no config"):
        rewrite.back_translation(rewrite.Ways(tmp_path), rewrite.Ways(tmp_path), versions=1, among=1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WinnowError, match="dvc repro augment"):
        rewrite.infill(encoder, epochs=1, share=0.2, versions=1)
