"""The audit on two made sets of texts: where the order of words is the class, and where one word is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.config import PluginChoice
from components.core.plugins import build
from components.judging.audit import Audit, as_records, audit_augmentations
from components.modalities.text.policy import Policy
from components.modalities.views import Views
from components.models.encoder_file import EncoderSpec, Inputs, save_encoder
from components.models.encoders.word_vectors import WordVectors
from tests.texts import records_of, views_of

KEYS = ["wave", "street", "moss", "bell"]  # of each class its own
FILLERS = [f"filler{number}" for number in range(12)]
PAIRS = [(f"x{number}", f"y{number}") for number in range(6)]
SOURCE = "data/weights/words/encoder.safetensors"
SYNONYMS = {"chance": 0.1, "vectors": SOURCE, "nearest": 2}


def _audit(texts: list[str], classes: np.ndarray, views: Views, encoder: torch.nn.Module) -> Audit:
    found = audit_augmentations(encoder, records_of(texts), classes, views, seed=0)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.fixture(scope="module")
def by_order() -> Audit:
    texts = [" ".join(pair[:: 1 - 2 * order]) for pair in PAIRS for order in (0, 1) for _ in range(16)]
    views = views_of(texts)
    torch.manual_seed(0)
    encoder = build("encoder", PluginChoice(name="lstm", width=24, hidden=24), views.input, where="encoder")
    return _audit(texts, np.arange(len(texts)) // 16 % 2, views, encoder)


@pytest.fixture(scope="module")
def by_a_word(tmp_path_factory: pytest.TempPathFactory) -> tuple[Audit, Views]:
    """Of the encoder a word that tells the class weighs much, and the nearest to it are those of other classes."""
    draw, classes = np.random.default_rng(0), np.arange(240) % len(KEYS)
    texts = [" ".join(draw.permutation([KEYS[one], *draw.choice(FILLERS, 5)])) for one in classes]
    views = views_of(texts, view=Policy.model_validate({"synonyms": SYNONYMS}), weak=Policy(swap=0.1))
    encoder = WordVectors(views.input, WordVectors.Config(width=8, smoothing=0))
    with torch.no_grad():
        encoder.table.weight.mul_(0.1)
        for number, entry in enumerate(views.modality._vocabulary(views.statistics).entries, 2):  # type: ignore[attr-defined]
            if entry in KEYS:
                encoder.table.weight[number] = torch.eye(8)[KEYS.index(entry)] * 6 + 4
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
        spec = EncoderSpec(name="word_vectors", options={"width": 8}, dim=8, inputs=inputs)
        save_encoder(Path(SOURCE), encoder, spec)
        material = views.modality.gather(views.policies.values(), records_of(texts), np.arange(240), texts)
    views.modality = views.modality.with_material(material)
    return _audit(texts, classes, views, encoder), views


def test_where_the_order_is_the_class_words_may_not_change_places(by_order: Audit) -> None:
    assert by_order.accuracy > 0.95
    assert "swap" in by_order.forbidden
    assert "swap" not in by_order.recommended
    assert by_order.recommended["crop"] == [0.6, 1.0]  # of two words both are left


def test_where_one_word_is_the_class_it_may_be_neither_left_out_nor_exchanged(by_a_word: tuple[Audit, Views]) -> None:
    audit, views = by_a_word
    assert audit.accuracy > 0.95
    assert {"drop", "mask", "synonyms"} <= set(audit.forbidden)
    assert audit.recommended["swap"] == 0.6
    assert audit.conflicts(views.policies) == [("view", "synonyms")]


def test_what_is_said_of_synonyms_is_a_policy(by_a_word: tuple[Audit, Views]) -> None:
    records = as_records(*by_a_word)
    levels = [one for one in records["levels"] if one["augmentation"] == "synonyms"]
    assert [one["setting"]["synonyms"]["chance"] for one in levels] == [0.1, 0.2, 0.4, 0.6]
    assert all(Policy.model_validate(one["setting"]).synonyms for one in levels)
    assert "synonyms" in levels[0]["change"]
    json.dumps(records)


def test_without_a_source_there_are_no_synonyms_to_ask_about(by_order: Audit) -> None:
    assert not {"synonyms", "rewritten"} & {finding.augmentation for finding in by_order.findings}
