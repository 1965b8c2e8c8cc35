"""Sentence encoders by file: the network is torch's own layers, the vocabulary the file's; real weights where there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.core.plugins import build
from components.modalities.text import Text
from components.models.encoders.sentence_transformers import SentenceTransformers
from components.models.library_names import to_library
from components.models.prompts import add_tokens
from components.models.start_weights import load_start
from tests.texts import records_of

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "owl", "##s", "sea", "cafe", "!"]
BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True}
SMALL = SentenceTransformers.Config(width=12, depth=2, heads=3, hidden=20, places=16, unknown=1, first=2, last=3)
KIND = Text(Text.Config())


def _folder(path: Path, **changes: object) -> Path:
    facts = {
        "model": {"type": "WordPiece", "vocab": {entry: number for number, entry in enumerate(PIECES)}},
        "normalizer": {**BERT, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    }
    (path / "tokenizer.json").write_text(json.dumps({**facts, **changes}))
    return path / "model.safetensors"


def _encoder(weights: Path) -> SentenceTransformers:
    torch.manual_seed(0)
    statistics = KIND.brought(weights)
    assert statistics is not None
    return SentenceTransformers(KIND.input(statistics), SMALL).eval()


def test_texts_are_cut_as_the_file_says_whatever_the_settings(tmp_path: Path) -> None:
    statistics = KIND.brought(_folder(tmp_path))
    assert statistics is not None
    KIND.check(json.loads(json.dumps(statistics)))
    views = KIND.plain(statistics)(torch.from_numpy(records_of(["The OWLS, café!", "sea"])))
    said = [[PIECES[number - 2] for number in row if number] for row in views.tolist()]
    assert said == [["the", "owl", "##s", "[UNK]", "cafe", "!"], ["sea"]]
    assert KIND.input(statistics).symbols == 2 + len(PIECES)
    assert KIND._said(KIND.restore(views[:1], statistics)[0]) == "the owls [UNK] cafe !"


def test_the_network_is_berts(tmp_path: Path) -> None:
    encoder = _encoder(_folder(tmp_path))
    theirs = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(12, 3, 20, 0, "gelu", 1e-12, batch_first=True), 2, enable_nested_tensor=False
    ).eval()
    for block, layer in zip(encoder.blocks, theirs.layers, strict=True):
        asked = [block.query, block.key, block.value]
        layer.self_attn.in_proj_weight.data = torch.cat([one.weight for one in asked])
        layer.self_attn.in_proj_bias.data = torch.cat([one.bias for one in asked])
        pairs = {
            "self_attn.out_proj": "out",
            "linear1": "wide",
            "linear2": "narrow",
            "norm1": "norm1",
            "norm2": "norm2",
        }
        for there, here in pairs.items():
            layer.get_submodule(there).load_state_dict(block.get_submodule(here).state_dict())
    numbers = torch.tensor([[2, 4, 5, 3]])  # [CLS] the owl [SEP]
    tokens = encoder.norm(encoder.table(numbers) + encoder.places(torch.arange(4)) + encoder.kinds.weight[0])
    expected = nn.functional.normalize(theirs(tokens).mean(1), dim=1)
    views = torch.tensor([[6, 7, 0, 0], [6, 9, 8, 7]])
    torch.testing.assert_close(encoder(views)[:1], expected, rtol=1e-5, atol=1e-6)


def test_weights_come_back_by_their_names_there(tmp_path: Path) -> None:
    weights = _folder(tmp_path)
    encoder = _encoder(weights)
    theirs = to_library(encoder, encoder.state_dict())
    assert "encoder.layer.1.attention.self.query.weight" in theirs
    assert len(theirs) == len(encoder.state_dict())
    save_file({name: value.contiguous() for name, value in theirs.items()}, weights)
    torch.manual_seed(1)
    other = SentenceTransformers(encoder.given, SMALL)
    load_start(weights, other)
    views = torch.tensor([[6, 7, 1, 0]])
    torch.testing.assert_close(other.eval()(views), encoder(views))


def test_a_long_text_is_seen_as_far_as_there_are_places_and_an_empty_one_has_a_vector(tmp_path: Path) -> None:
    encoder = _encoder(_folder(tmp_path))
    views = torch.full((1, 40), 6)
    torch.testing.assert_close(encoder(views), encoder(views[:, :14]))
    assert encoder(torch.zeros(1, 3, dtype=torch.int64)).isfinite().all()


def test_learned_prompts_are_seen_by_the_words(tmp_path: Path) -> None:
    encoder, views = _encoder(_folder(tmp_path)), torch.tensor([[6, 7, 0], [6, 9, 8]])
    before = encoder(views)
    add_tokens(encoder, 2)
    assert not torch.allclose(encoder(views), before, atol=1e-4)
    torch.testing.assert_close(encoder(views[:1, :2]), encoder(views)[:1])


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"type": "BPE", "vocab": {"a": 0}}},
        {"model": {"type": "WordPiece", "vocab": {"a": 0, "[UNK]": 5}}},
        {"model": {"type": "WordPiece", "vocab": {"a": 0}}},
        {"normalizer": None},
        {"normalizer": {**BERT, "lowercase": "yes"}},
        {"model": ["a"]},
    ],
)
def test_another_kind_of_vocabulary_is_refused(changes: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="no vocabulary of word pieces"):
        KIND.brought(_folder(tmp_path, **changes))


def test_weights_without_a_vocabulary_bring_none(tmp_path: Path) -> None:
    assert KIND.brought(tmp_path / "model.safetensors") is None


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path: Path) -> None:
    given = _encoder(_folder(tmp_path)).given
    with pytest.raises(WinnowError, match=r"config\.json says"):
        build("encoder", PluginChoice(name="sentence_transformers", heads=7), given, where="encoder")


def test_minilm_puts_texts_of_one_meaning_together() -> None:
    folder = Path(__file__).resolve().parents[2] / "data/weights/minilm"
    if not (folder / "model.safetensors").is_file():
        pytest.skip("no all-MiniLM-L6-v2 in data/weights/minilm")
    statistics = KIND.brought(folder / "model.safetensors")
    assert statistics is not None
    encoder = build("encoder", PluginChoice(name="sentence_transformers"), KIND.input(statistics), where="encoder")
    load_start(folder / "model.safetensors", encoder)
    said = ["A man is playing a guitar.", "Someone plays an instrument.", "Oil prices fell on Monday."]
    with torch.no_grad():
        vectors = encoder.eval()(KIND.plain(statistics)(torch.from_numpy(records_of(said)))).numpy()
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
