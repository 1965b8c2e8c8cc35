"""Words exchanged for others: out of WordNet's files, out of a table of vectors; single entries alone, by chance."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from components.core.errors import WinnowError
from components.modalities.text import Text
from components.modalities.text.exchange import Exchange
from components.modalities.text.policy import Policy
from components.modalities.text.vocabulary import FIRST, Vocabulary
from components.modalities.text.word_neighbors import read_neighbors
from components.modalities.text.wordnet import PARTS, read_synonyms
from components.models.encoder_file import EncoderSpec, Inputs, build_encoder, save_encoder
from tests.texts import about, records_of, views_of

LICENSE = "  1 This is made for a test.  \n"
DATA = {
    "noun": [
        "00000100 06 n 03 ship 0 vessel 0 sailing_boat 0 001 @ 00000200 n 0000 | what sails",
        "00000200 06 n 02 vessel 0 vas 1 000 | what holds water",
    ],
    "verb": ["00000300 38 v 02 ship 0 send 0 000 01 + 08 00 | to have it carried"],
    "adj": ["00000400 00 s 02 fast(p) 0 Quick 0 000 | with speed"],
    "adv": [],
}
INDEX = {
    "noun": [
        "sailing_boat n 1 0 1 0 00000100",
        "ship n 1 1 @ 1 1 00000100",
        "vas n 1 0 1 0 00000200",
        "vessel n 2 1 @ 2 1 00000200 00000100",
    ],
    "verb": ["send v 1 0 1 1 00000300", "ship v 1 0 1 5 00000300"],
    "adj": ["fast a 1 0 1 1 00000400", "quick a 1 0 1 1 00000400"],
    "adv": [],
}


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    for part in PARTS:
        for kind, lines in (("index", INDEX), ("data", DATA)):
            (tmp_path / f"{kind}.{part}").write_text(LICENSE + "".join(f"{line}  \n" for line in lines[part]))
    return tmp_path


def test_of_wordnet_the_usual_part_of_speech_and_sense_come_first_and_words_of_several_are_left_out(
    wordnet: Path,
) -> None:
    assert read_synonyms(wordnet, 9) == {
        "fast": ["quick"],
        "quick": ["fast"],
        "send": ["ship"],
        "ship": ["send", "vessel"],
        "vas": ["vessel"],
        "vessel": ["vas", "ship"],
    }
    assert read_synonyms(wordnet, 1)["vessel"] == ["vas"]


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("index.noun", "boat n one 0 1 0 00000100", "line 6 is none of an index"),
        ("index.noun", "boat n 2 0 1 0 00000100", "line 6 is none of an index"),
        ("index.verb", "boat v 1 0 1 0 00000999", "'boat' is in set 999"),
        ("data.adv", "00000500 02 r zz soon 0 000 | in a while", "line 2 is no set"),
        ("data.adv", "00000500 02 r 03 soon 0 000", "line 2 is no set"),
    ],
)
def test_files_of_another_form_are_refused_with_the_line(wordnet: Path, file: str, line: str, says: str) -> None:
    with (wordnet / file).open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(WinnowError, match=says):
        read_synonyms(wordnet, 5)


def test_a_folder_without_wordnets_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="its folder `dict`"):
        read_synonyms(tmp_path, 5)


def _saved(path: Path, texts: list[str], **changes: object) -> Path:
    """An encoder whose word number i has the angle i."""
    views = views_of(texts)
    modality = views.modality.choice.model_copy(update=changes)
    spec = EncoderSpec(
        name="word_vectors", options={"width": 2}, dim=2, inputs=Inputs(modality=modality, statistics=views.statistics)
    )
    encoder = build_encoder(spec)
    angles = torch.arange(len(encoder.table.weight)) * 0.1
    encoder.table.weight.data = torch.stack([angles.cos(), angles.sin()], 1) * (1 + angles[:, None])
    save_encoder(path / "encoder.safetensors", encoder, spec)
    return path / "encoder.safetensors"


def test_neighbors_are_the_nearest_by_angle_and_signs_are_no_words(tmp_path: Path) -> None:
    # entries by frequency: d, c, ",", b, a
    path = _saved(tmp_path, ["d c , b a", "d c , b", "d c ,", "d c", "d"])
    assert read_neighbors(path, 2) == {"d": ["c", "b"], "c": ["d", "b"], "b": ["a", "c"], "a": ["b", "c"]}
    assert len(read_neighbors(path, 50)["a"]) == 3


def test_a_file_without_a_table_of_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="it is missing"):
        read_neighbors(tmp_path / "encoder.safetensors", 2)
    path = _saved(tmp_path, ["a b c"])
    facts = path.with_suffix(".json").read_text()
    path.with_suffix(".json").write_text(facts.replace('"words"', '"bytes"'))
    with pytest.raises(WinnowError, match="not of words"):
        read_neighbors(path, 2)
    path.with_suffix(".json").write_text(facts)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(WinnowError, match="gives no nearest words"):
        read_neighbors(path, 2)


VOCABULARY = Vocabulary({"counts": {"sea": 9, "ocean": 8, "deep": 7, "owl": 6, "lake": 5}}, "words", 64)
SEA, OCEAN, DEEP, OWL, LAKE = range(FIRST, FIRST + 5)
OTHERS = {"sea": ["ocean", "lake", "unheard"], "owl": ["unheard"], "unheard": ["sea"]}


def test_words_become_their_others_as_often_as_the_chance_says() -> None:
    exchange, rows, keys = Exchange(OTHERS, VOCABULARY), torch.full((200, 50), SEA), np.arange(200)
    seen = exchange(rows, 0.3, keys, 0)
    shares = [(seen == number).double().mean().item() for number in (SEA, OCEAN, LAKE)]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.015)
    assert set(exchange(rows, 1.0, keys, 0).unique().tolist()) == {OCEAN, LAKE}


def test_words_without_others_and_what_stands_behind_a_text_stay() -> None:
    exchange = Exchange(OTHERS, VOCABULARY)
    rows = torch.tensor([[SEA, DEEP, OWL, 1, 0, 0]])
    seen = exchange(rows, 1.0, np.arange(1), 0)
    assert seen[0, 0] in (OCEAN, LAKE)
    assert torch.equal(seen[:, 1:], rows[:, 1:])
    assert torch.equal(Exchange({}, VOCABULARY)(rows, 1.0, np.arange(1), 0), rows)


def test_what_becomes_of_a_text_does_not_depend_on_its_batch() -> None:
    exchange, rows, keys = Exchange(OTHERS, VOCABULARY), torch.full((9, 20), SEA), np.arange(9)
    together = exchange(rows, 0.5, keys, 7)
    for row in range(9):
        assert torch.equal(exchange(rows[row : row + 1, :12], 0.5, keys[row : row + 1], 7)[0], together[row, :12])
    assert not torch.equal(exchange(rows, 0.5, keys, 8), together)


def test_of_word_pieces_whole_words_alone_are_exchanged() -> None:
    pieces = Vocabulary({"counts": {"sea": 9, "##s": 8, "ocean": 7}}, "wordpiece", 64)
    exchange = Exchange({"sea": ["ocean"]}, pieces)
    rows = torch.tensor([[2, 3, 2, 4]])  # sea ##s sea ocean
    assert exchange(rows, 1.0, np.arange(1), 0).tolist() == [[2, 3, 4, 4]]


def test_a_view_with_synonyms_is_made_of_what_was_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = Path("data/weights/vectors")
    home.mkdir(parents=True)
    said, _ = about(30)
    place = str(_saved(home, said))
    policy = Policy.model_validate({"synonyms": {"chance": 1.0, "vectors": place, "nearest": 1}})
    views = views_of(said, view=policy)
    with pytest.raises(WinnowError, match="force augment"):
        views["view"]
    records = records_of(said)
    views.modality = views.modality.with_material(views.modality.gather([policy], records, np.arange(30), said))
    seen, plain = views["view"](torch.from_numpy(records), np.arange(30), 0), views.plain(torch.from_numpy(records))
    assert (seen != plain)[plain > 0].all()
    assert "synonyms" in views.modality.ladder
    assert "synonyms" not in Text(Text.Config()).ladder


@pytest.mark.parametrize(
    "wrong",
    [
        {"chance": 0.1},
        {"chance": 0.0, "vectors": "data/weights/a"},
        {"chance": 0.1, "vectors": "data/weights/a", "wordnet": "data/weights/b"},
        {"chance": 0.1, "vectors": "elsewhere/encoder.safetensors"},
        {"chance": 0.1, "wordnet": "data/weights/../raw"},
    ],
)
def test_synonyms_without_one_watched_source_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({"synonyms": wrong})


def test_of_bytes_there_are_no_synonyms_and_a_policy_says_them_in_a_few_words() -> None:
    policy = Policy.model_validate({"synonyms": {"chance": 0.1, "wordnet": "data/weights/wordnet"}})
    assert Text(Text.Config()).describe(policy) == "synonyms 0.1 of data/weights/wordnet"
    assert Text(Text.Config()).describe(Policy()) == "as it is"
    assert "no words" in Text(Text.Config(vocabulary="bytes")).idle(policy)["synonyms"]
    assert not Text(Text.Config()).idle(policy)
