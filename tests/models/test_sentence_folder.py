"""Folders for sentence-transformers: read back by what they say alone, the same vectors; by the library where it is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.modalities.text import Text
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder
from components.models.encoders import Encoder
from components.models.export import check_format, export
from components.models.prompts import add_tokens
from tests.texts import records_of, views_of

SAID = ["The owl, née Ærø!", "a SEA of 漢字 👍🏽 नमस्ते", "unheard", "the the the", "on " * 40]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
SIZES = {"width": 12, "depth": 2, "heads": 3, "hidden": 20, "places": 16, "unknown": 1, "first": 2, "last": 3}


def _words() -> tuple[Encoder, EncoderSpec]:
    """Averaged word vectors, with a direction that all share taken out."""
    torch.manual_seed(0)
    views = views_of(["the owl , sea 漢 字 👍🏽 नमस्ते née on on"] * 2)
    inputs = Inputs(modality=views.modality.choice, statistics=views.statistics)
    spec = EncoderSpec(name="word_vectors", options={"width": 6}, dim=6, inputs=inputs)
    encoder = build_encoder(spec).eval()
    with torch.no_grad():
        encoder.get_buffer("common").copy_(F.normalize(torch.randn(6), dim=0))
    return encoder, spec


def _bert() -> tuple[Encoder, EncoderSpec]:
    torch.manual_seed(0)
    entries = [*MARKS, "the", "owl", "sea", ",", "!", "a", "##a", "on"]
    normalizer = {"clean_text": True, "handle_chinese_chars": True, "lowercase": True, "strip_accents": None}
    counts = {entry: len(entries) - number for number, entry in enumerate(entries)}
    inputs = Inputs(modality=PluginChoice(name="text"), statistics={"counts": counts, "normalizer": normalizer})
    spec = EncoderSpec(name="sentence_transformers", options=SIZES, dim=12, inputs=inputs)
    return build_encoder(spec).eval(), spec


def _vectors(encoder: Encoder, spec: EncoderSpec, said: list[str]) -> torch.Tensor:
    with torch.no_grad():
        return F.normalize(encoder(spec.inputs.plain(torch.from_numpy(records_of(said)))), dim=1)


def test_a_table_and_its_tokenizer_give_the_direction_of_averaged_word_vectors(tmp_path: Path) -> None:
    encoder, spec = _words()
    path = export(encoder, spec, tmp_path, "sentence_transformers")
    table = load_file(path)["embedding.weight"]
    cut = Tokenizer.from_file(str(path.with_name("tokenizer.json")))
    means = [table[one.ids].mean(0) for one in cut.encode_batch(SAID, add_special_tokens=False)]
    torch.testing.assert_close(
        F.normalize(torch.stack(means), dim=1), _vectors(encoder, spec, SAID), atol=1e-5, rtol=1e-5
    )
    modules = json.loads((tmp_path / "sentence_transformers/modules.json").read_text())
    assert [one["path"] for one in modules] == ["0_StaticEmbedding", "1_Normalize"]


@pytest.mark.parametrize("made", [_words, _bert])
def test_the_tokenizer_cuts_as_the_vocabulary_does(made: object, tmp_path: Path) -> None:
    encoder, spec = made()  # type: ignore[operator]
    path = export(encoder, spec, tmp_path, "sentence_transformers")
    cut = Tokenizer.from_file(str(path.with_name("tokenizer.json")))
    views, brought = spec.inputs.plain(torch.from_numpy(records_of(SAID))), "normalizer" in spec.inputs.statistics
    for row, one in zip(views, cut.encode_batch(SAID, add_special_tokens=False), strict=True):
        ours = [number for number in row.tolist() if number]
        assert one.ids == ([1 if number == 1 else number - 2 for number in ours] if brought else ours)
    with_marks = cut.encode(SAID[0]).ids
    assert (with_marks[0], with_marks[-1]) == (2, 3) if brought else with_marks == cut.encode(SAID[0]).ids


def test_berts_weights_and_settings_are_whole(tmp_path: Path) -> None:
    encoder, spec = _bert()
    path = export(encoder, spec, tmp_path, "sentence_transformers")
    facts = json.loads(path.with_name("config.json").read_text())
    assert (facts["hidden_size"], facts["num_hidden_layers"], facts["vocab_size"]) == (12, 2, 12)
    weights = load_file(path)
    assert len(weights) == len(encoder.state_dict())
    assert weights["encoder.layer.1.output.dense.weight"].shape == (12, 20)
    assert json.loads(path.with_name("sentence_bert_config.json").read_text())["max_seq_length"] == 16
    assert (path.parent / "2_Normalize").is_dir()
    other = build_encoder(spec)  # and this project takes it back as weights of others
    from components.models.start_weights import load_start

    load_start(path, other)
    assert Text(Text.Config()).brought(path) == spec.inputs.statistics
    torch.testing.assert_close(_vectors(other.eval(), spec, SAID), _vectors(encoder, spec, SAID))


def test_what_the_library_has_not_is_refused() -> None:
    encoder, spec = _bert()
    check_format("sentence_transformers", encoder, spec.inputs)
    add_tokens(encoder, 2)
    with pytest.raises(WinnowError, match="where finetune adds nothing"):
        check_format("sentence_transformers", encoder, spec.inputs)
    words, spec = _words()
    pieces = Inputs(modality=PluginChoice(name="text", vocabulary="wordpiece"), statistics=spec.inputs.statistics)
    with pytest.raises(WinnowError, match="no network like WordVectors"):
        check_format("sentence_transformers", words, pieces)


@pytest.mark.parametrize("made", [_words, _bert])
def test_the_library_itself_gives_the_same_vectors(
    made: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder, spec = made()  # type: ignore[operator]
    export(encoder, spec, tmp_path, "sentence_transformers")
    network = library.SentenceTransformer(str(tmp_path / "sentence_transformers"), device="cpu")
    np.testing.assert_allclose(network.encode(SAID), _vectors(encoder, spec, SAID).numpy(), atol=1e-5)
