"""`winnow predict` on texts: typed, from standard input and from files, the same answer each way; safe to print."""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from components.core.errors import WinnowError
from components.core.model_versions import Version
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder
from components.models.serving import ServedModel
from components.release.package import package
from components.release.registered import _check_answers
from pipelines import predict
from tests.texts import about, records_of, views_of

TEXTS = ["The tide and the reef", "An oak, an owl"]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A champion of two classes that was never trained."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    views = views_of(about(30)[0])
    inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
    encoder = EncoderSpec(name="word_vectors", options={"width": 8}, inputs=inputs, dim=8)
    spec = ClassifierSpec(encoder=encoder, classes=["land", "sea"], method="linear_probe")
    save_classifier(tmp_path / "model.safetensors", Classifier(build_encoder(encoder), nn.Linear(8, 2), spec).eval())
    monkeypatch.setattr(predict, "model_name", lambda: "toys")
    monkeypatch.setattr(predict, "find", lambda name, wanted: Version(name, 1, "", ""))
    monkeypatch.setattr(predict, "load_version", lambda version: load_classifier(tmp_path / "model.safetensors"))
    return tmp_path / "model.safetensors"


def _said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_words_that_decided_are_said_with_what_is_lost_without_them(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_classifier(weights)
    with torch.no_grad():
        model.head.weight.normal_(std=100)
    save_classifier(weights, model)
    assert predict.predict_files([], version="champion", as_json=True, texts=TEXTS, why=True) == 0
    told = _said(capsys)
    for line, text in zip(told, TEXTS, strict=True):
        first = line["why"][0]
        [without] = predict._guesses(model, [text.replace(first["part"], "", 1)], {})
        [with_it] = predict._guesses(model, [text], {})
        number = model.spec.classes.index(line["class"])
        odds = [one.probabilities[number] / one.probabilities[1 - number] for one in (without, with_it)]
        assert first["odds_lost"] == pytest.approx(1 - odds[0] / odds[1], abs=1e-3)
    assert predict.predict_files([], version="champion", as_json=False, texts=TEXTS, why=True) == 0
    assert f"odds without: {told[0]['why'][0]['part']} −" in capsys.readouterr().out
    assert predict.predict_files([], version="champion", as_json=True, texts=TEXTS) == 0
    assert "why" not in _said(capsys)[0]


def test_typed_texts_lines_and_files_get_the_same_answers(
    weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predict.predict_files([], version="champion", as_json=True, texts=TEXTS) == 0
    typed = _said(capsys)
    assert [line["text"] for line in typed] == TEXTS
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join([TEXTS[0], "", TEXTS[1], ""])))
    assert predict.predict_files([Path("-")], version="champion", as_json=True) == 0
    assert _said(capsys) == typed
    for number, text in enumerate(TEXTS):
        Path(f"{number}.txt").write_text(text)
    assert predict.predict_files([Path("0.txt"), Path("1.txt")], version="champion", as_json=True) == 0
    assert [line["probabilities"] for line in _said(capsys)] == [line["probabilities"] for line in typed]


def test_a_text_cannot_steer_the_terminal_and_an_empty_one_is_named(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict.predict_files([], version="champion", as_json=False, texts=["a\x1b[2Jb\nc", " "]) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.out
    assert len(said.out.splitlines()) == 1
    assert "empty" in said.err


def test_nothing_asked_is_said(weights: Path) -> None:
    with pytest.raises(WinnowError, match="nothing was asked"):
        predict.predict_files([], version="champion", as_json=False)


def test_a_served_version_answers_strings_as_the_command_does(
    weights: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    classifier = load_classifier(weights)
    predict.predict_files([], version="champion", as_json=True, texts=TEXTS)
    expected = [line["probabilities"] for line in _said(capsys)]
    answers = ServedModel(classifier).predict(np.array(TEXTS))
    np.testing.assert_allclose(answers, [list(one.values()) for one in expected], atol=1e-6)  # type: ignore[attr-defined]
    package(classifier, weights, records_of(TEXTS), tmp_path / "version")
    assert json.loads((tmp_path / "version/serving_input_example.json").read_text()) == {"inputs": TEXTS}
    _check_answers(classifier, tmp_path / "version")


def test_the_scoring_server_takes_strings(weights: Path) -> None:
    import httpx

    from pipelines.serve import application

    async def asked() -> httpx.Response:
        door = httpx.ASGITransport(application(load_classifier(weights)))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1") as client:
            return await client.post("/invocations", json={"inputs": TEXTS})

    answer = asyncio.run(asked())
    assert answer.status_code == 200, answer.text
    assert np.array(answer.json()["predictions"]).shape == (2, 2)


@pytest.mark.usefixtures("weights")
def test_what_is_typed_must_be_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WinnowError, match="not UTF-8"):
        predict.predict_files([], version="champion", as_json=True, texts=["caf\udce9"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"))
    with pytest.raises(WinnowError, match="standard input is not UTF-8"):
        predict.predict_files([Path("-")], version="champion", as_json=True)
