"""Translation models out of a folder: the scores of transformers' own network, a tiny one that learned made pairs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.models.likely import drawn
from components.models.t5 import T5, bucket
from components.models.translator import load_translator

WORDS = ["sea", "owl", "tram", "moss", "bell", "fish"]
OTHERS = ["mer", "hibou", "tramway", "mousse", "cloche", "poisson"]
PIECES = ["<pad>", "</s>", "<unk>", *WORDS, *OTHERS]
TINY = {"model_type": "t5", "vocab_size": 15, "d_model": 24, "d_kv": 12, "d_ff": 48, "num_layers": 1, "num_heads": 2}


def _folder(path: Path, network: T5, **changes: object) -> Path:
    """As transformers writes it."""
    tokenizer = Tokenizer(models.WordLevel({one: number for number, one in enumerate(PIECES)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    path.mkdir(exist_ok=True)
    tokenizer.save(str(path / "tokenizer.json"))
    (path / "config.json").write_text(json.dumps({**TINY, **changes}))
    own = network.state_dict()
    save_file({there: own[here].contiguous() for here, there in network.named_as()}, path / "model.safetensors")
    return path


def _learned() -> T5:
    """Of two words it learned to say the others' names for them."""
    torch.manual_seed(0)
    network = T5(
        T5.Shape.model_validate({**{k: v for k, v in TINY.items() if k != "model_type"}, "num_decoder_layers": 1})
    )
    torch.nn.init.normal_(network.table.weight, std=0.5)
    optimizer = torch.optim.Adam(network.parameters(), 0.005)
    for step in range(400):
        words = 3 + torch.rand(32, len(WORDS), generator=torch.Generator().manual_seed(step)).argsort(1)[:, :2]
        numbers, mask = F.pad(words, (0, 1), value=1), torch.ones(32, 3, dtype=torch.bool)
        wanted = F.pad(words + len(WORDS), (0, 1), value=1)
        scores, _ = network.write(
            F.pad(wanted[:, :-1], (1, 0)), None, network.remember(network.read(numbers, mask)), mask
        )
        optimizer.zero_grad()
        F.cross_entropy(scores.flatten(0, 1), wanted.flatten()).backward()
        optimizer.step()
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _folder(tmp_path_factory.mktemp("models") / "there", _learned())


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("relu", [[-0.2696, -0.1903, -0.0551, 0.0963], [0.3202, 0.1890, 0.0023, -0.1851]]),
        ("gated-gelu", [[-0.8655, -0.5671, -0.1022, 0.3927], [0.5156, 0.2869, -0.0259, -0.3312]]),
    ],
)
def test_scores_are_those_of_transformers(form: str, expected: list[list[float]]) -> None:
    """expected: of transformers 5.24 with the same weights; the later form has its scores unscaled."""
    facts = {"vocab_size": 12, "d_model": 8, "d_kv": 3, "d_ff": 10, "num_layers": 2, "num_decoder_layers": 1}
    more = {"num_heads": 2, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 16}
    network = T5(
        T5.Shape.model_validate({**facts, **more, "feed_forward_proj": form, "scale_decoder_outputs": form == "relu"})
    )
    with torch.no_grad():
        for here, there in network.named_as():
            weight = network.get_parameter(here)
            numbers = torch.arange(weight.numel(), dtype=torch.float64) * (1 + len(there) % 7)
            weight.copy_(numbers.sin().view(weight.shape).float() * 0.7)
        read = torch.tensor([[3, 5, 7, 2, 9, 4, 6, 8, 10, 11, 3, 1], [4, 2, 1] + [0] * 9])
        said = torch.tensor([[0, 4, 6, 8], [0, 3, 3, 2]])
        memory = network.remember(network.read(read, read > 0))
        scores, _ = network.write(said, None, memory, read > 0)
        first, kept = network.write(said[:, :2], None, memory, read > 0)
        rest = [first]
        for place in (2, 3):  # one by one, as when it writes
            part, kept = network.write(said[:, place : place + 1], kept, memory, read > 0)
            rest.append(part)
    torch.testing.assert_close(scores[:, 3, :4], torch.tensor(expected), atol=6e-5, rtol=0)
    torch.testing.assert_close(torch.cat(rest, 1), scores, atol=1e-5, rtol=1e-5)


def test_near_words_have_a_bucket_each_and_far_ones_share() -> None:
    distances = torch.tensor([0, 1, 7, 8, 11, 12, 127, 500])
    assert bucket(-distances, 32, 128, both=True).tolist() == [0, 1, 7, 8, 8, 9, 15, 15]
    assert bucket(distances, 32, 128, both=True).tolist() == [0, 17, 23, 24, 24, 25, 31, 31]
    assert bucket(-distances, 32, 128, both=False).tolist() == [0, 1, 7, 8, 11, 12, 31, 31]
    assert bucket(distances, 32, 128, both=False).eq(0).all()


def test_what_was_learned_is_written_whatever_the_batch(folder: Path) -> None:
    translate = load_translator(folder, "")
    texts = ["sea owl", "bell fish", "moss bell"] * 20
    said = translate(texts, np.zeros((60, 12), np.float32), 1)
    assert said[:3] == ["mer hibou", "cloche poisson", "mousse cloche"]
    assert said == said[:3] * 20
    assert translate(texts[1:2], np.zeros((1, 12), np.float32), 1) == said[1:2]


def test_pieces_are_drawn_by_the_lots(folder: Path) -> None:
    translate, lots = load_translator(folder, ""), np.zeros((40, 8), np.float32)
    lots[7] = 1 - 2.0**-24  # what hardly ever comes
    said = translate(["sea owl"] * 40, lots, 15)
    assert said[7] != "mer hibou"
    assert said[:7] + said[8:] == ["mer hibou"] * 39
    assert translate(["sea owl"] * 40, lots, 15) == said


def test_lots_draw_by_the_chance_among_the_likeliest() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0, -9.0]]).repeat(10_000, 1)
    found = drawn(scores, torch.arange(10_000) / 10_000, 2)
    assert (found == 1).double().mean().item() == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-3)
    assert set(found.tolist()) == {1, 2}
    assert set(drawn(scores, torch.arange(10_000) / 10_000, 1).tolist()) == {1}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "marian"}, "a model of marian"),
        ({"vocab_size": 9}, "is expected"),
        ({"d_model": 10**9}, "d_model"),
        ({"num_layers": 2}, "absent where"),
        ({"vocab_size": "many"}, "vocab_size"),
    ],
)
def test_another_model_is_refused(folder: Path, tmp_path: Path, changes: dict[str, object], says: str) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({**TINY, **changes}))
    with pytest.raises(WinnowError, match=says):
        load_translator(tmp_path, "")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_with_a_file_missing_or_damaged_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WinnowError):
        load_translator(tmp_path, "")
    (tmp_path / name).unlink()
    with pytest.raises(WinnowError, match=f"it holds no {name}"):
        load_translator(tmp_path, "")
