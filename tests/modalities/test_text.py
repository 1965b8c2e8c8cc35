"""Texts: from bytes in any encoding to records, words of any script, and back to people and clients, escaped."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch

from components.datasets.near_duplicates import near_duplicate_groups
from components.datasets.records import Unreadable
from components.datasets.sample_store import ANY, About, Store
from components.modalities.text import Text
from components.modalities.text.decode import decode
from components.modalities.text.vocabulary import Vocabulary, measure
from components.modalities.text.words import words
from tests.texts import records_of

KIND = Text(Text.Config())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    found = decode("Über Öl\r\nund Wein".encode(encoding), 100)
    assert found.text == "Über Öl\nund Wein"
    assert found.lost == (("latin",) if encoding == "latin-1" else ())


def test_quotes_of_windows_are_quotes_and_no_controls() -> None:
    found = decode(b"\x93Good\x94, it\x92s", 100)
    assert (found.text, found.lost) == ("\u201cGood\u201d, it\u2019s", ("latin",))


@pytest.mark.parametrize(
    ("content", "text", "lost"),
    [
        (b"a\x00b\x07c", "abc", ("controls",)),
        ("a\u202eb".encode(), "ab", ("controls",)),
        (b" \t a \t b \n\n\n\n c ", "a b\n\nc", ()),
        (unicodedata.normalize("NFD", "é").encode(), "é", ()),
        (b"abcdefghijklm", "abcdefghij", ("cut",)),
        (b"<b>&amp;</b>", "<b>&amp;</", ("cut",)),
    ],
)
def test_what_is_no_letter_is_left_out_and_said(content: bytes, text: str, lost: tuple[str, ...]) -> None:
    found = decode(content, 10)
    assert (found.text, found.lost) == (text, lost)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\x01\x02\xe9",
        b"",
        b" \n\t ",
        b"\x00\x00",
        bytes(range(256)) * 20 + b"\x00" * 200,
    ],
)
def test_what_holds_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(content, 100)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It's 3.5 km!", ["It", "'", "s", "3", ".", "5", "km", "!"]),
        ("naïve Straße", ["naïve", "Straße"]),
        ("हिन्दी में लिखा", ["हिन्दी", "में", "लिखा"]),
        ("日本語です", ["日", "本", "語", "で", "す"]),
        ("ภาษาไทย", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("привет, мир", ["привет", ",", "мир"]),
        ("Γειά σου", ["Γειά", "σου"]),
        ("안녕 세상", ["안녕", "세상"]),
        ("ok 👍🏽❤️", ["ok", "👍🏽", "❤️"]),
        ("", []),
    ],
)
def test_words_of_any_script_are_found(text: str, found: list[str]) -> None:
    assert words(unicodedata.normalize("NFC", text)) == [unicodedata.normalize("NFC", one) for one in found]


def test_the_vocabulary_holds_what_was_seen_often_enough_and_orders_it_by_that() -> None:
    counts = measure(lambda: ["b a a", "A c b", "d"], "words", least=2, most=10)["counts"]
    assert list(counts.items()) == [("a", 3), ("b", 2)]
    assert list(measure(lambda: ["b a a", "b"], "words", least=1, most=1)["counts"]) == ["a"]
    vocabulary = Vocabulary({"counts": dict(reversed(counts.items()))}, "words", 8)
    assert vocabulary.entries == ["a", "b"]
    assert vocabulary.frequencies == (0, 0, 0.6, 0.4)
    assert vocabulary.tokens(torch.from_numpy(records_of(["B a x", "a"]))).tolist() == [[3, 2, 1], [2, 0, 0]]
    assert vocabulary.text([3, 2, 1, 0]) == "b a ▢"


def test_a_text_of_no_word_and_a_long_one_have_their_shapes() -> None:
    vocabulary = Vocabulary({"counts": {"a": 1}}, "words", 3)
    assert vocabulary.tokens(torch.zeros(2, 0, dtype=torch.uint8)).tolist() == [[0], [0]]
    assert vocabulary.tokens(torch.from_numpy(records_of(["a " * 9]))).tolist() == [[2, 2, 2]]


def test_bytes_need_no_table_and_come_back_as_the_text() -> None:
    kind = Text(Text.Config(vocabulary="bytes"))
    records = records_of(["Öl 👍", "oil"])
    statistics = kind.measure(records, np.arange(2))
    views = kind.plain(statistics)(torch.from_numpy(records))
    assert (views[0] > 1).all()
    restored = kind.restore(views, statistics)
    assert [kind._said(one) for one in restored] == ["Öl 👍", "oil"]


TEXTS = ["the lowest of the low lands", "Lower, slower: the newest and widest", "Öl 👍 हिन्दी 日本"] * 3


@pytest.mark.parametrize("vocabulary", ["bpe", "wordpiece"])
def test_pieces_are_learned_alike_each_time_and_come_back_from_json(vocabulary: str) -> None:
    kind, records = Text(Text.Config(vocabulary=vocabulary, most=300)), records_of(TEXTS)
    statistics = kind.measure(records, np.arange(len(TEXTS)))
    assert json.dumps(kind.measure(records, np.arange(len(TEXTS)))) == json.dumps(statistics)
    assert sum(statistics["counts"].values()) == sum(
        len(one) for one in _numbers(kind, statistics, records)
    )  # a count for each piece of the texts, and no unknown one
    again = json.loads(json.dumps(statistics, sort_keys=True))
    kind.check(again)
    assert _numbers(kind, again, records) == _numbers(kind, statistics, records)
    assert len(statistics["counts"]) <= 300
    assert kind.input(statistics).symbols == 2 + len(statistics["counts"])


def test_byte_pairs_come_back_as_the_text_whatever_it_is_and_know_how_many_bytes_they_are() -> None:
    kind = Text(Text.Config(vocabulary="bpe", most=300))
    statistics = kind.measure(records_of(TEXTS), np.arange(len(TEXTS)))
    said = ["Never seen: ψ 🦉", "the lowlands  "]
    views = kind.plain(statistics)(torch.from_numpy(records_of(said)))
    assert [kind._said(one) for one in kind.restore(views, statistics)] == ["Never seen: ψ 🦉", "the lowlands"]
    sizes = torch.tensor(kind.input(statistics).sizes)
    assert sizes[views].sum(1).tolist() == [len(one.strip().encode()) for one in said]


def test_the_first_pair_that_is_put_together_is_the_most_frequent_one() -> None:
    """Sennrich et al.'s own example: low, lowest, newer, wider."""
    words = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    merges = measure(lambda: words, "bpe", least=2, most=259)["merges"]
    assert merges == ["e s", "es t", "l o"]  # 9 times, 9 times, 7 times


def test_a_word_of_no_known_letter_is_unknown_to_word_pieces() -> None:
    kind = Text(Text.Config(vocabulary="wordpiece", most=60))
    statistics = kind.measure(records_of(["low lower lowest slow"] * 3), np.arange(3))
    views = kind.plain(statistics)(torch.from_numpy(records_of(["LOW 日 slowest"])))
    assert views[0, 1] == 1
    assert kind._said(kind.restore(views, statistics)[0]) == "low ▢ slowest"


@pytest.mark.parametrize(
    "change", [{"merges": ["e s t"]}, {"merges": ["e zz"]}, {"merges": "e s"}, {"counts": {"a": 1}}]
)
def test_byte_pairs_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    kind = Text(Text.Config(vocabulary="bpe", most=300))
    statistics = kind.measure(records_of(TEXTS), np.arange(len(TEXTS)))
    with pytest.raises(ValueError, match=r"byte pairs|merges"):
        kind.check({**statistics, **change})


def test_fewer_pieces_than_bytes_are_refused_and_usually_there_are_fewer_than_of_words() -> None:
    with pytest.raises(ValueError, match="256 or more"):
        Text.Config(vocabulary="bpe", most=100)
    assert Text.Config(vocabulary="bpe").most == 8000 < Text.Config().most


def _numbers(kind: Text, statistics: dict[str, object], records: np.ndarray) -> list[list[int]]:
    views = kind.plain(statistics)(torch.from_numpy(records)).tolist()
    return [[number for number in row if number > 1] for row in views]


def test_statistics_that_measure_cannot_have_given_are_refused() -> None:
    KIND.check({"counts": {"a": 2}})
    for wrong in ({}, {"counts": {}}, {"counts": {"a": 0}}, {"counts": {"a": True}}, {"counts": ["a"]}, {"mean": [1]}):
        with pytest.raises(ValueError, match="counts"):
            KIND.check(wrong)


def test_near_duplicates_are_found_and_texts_of_the_same_words_in_another_order_are_none() -> None:
    long = "the ferry to the island leaves at nine from the old pier and comes back before the evening tide turns"
    texts = [long, long + "!", long.upper(), " ".join(reversed(long.split())), "something else entirely, about dogs"]
    flat = np.concatenate([np.frombuffer(text.encode(), np.uint8) for text in texts])
    starts = np.concatenate([[0], np.cumsum([len(text.encode()) for text in texts])])
    store = Store(About(modality=KIND.choice, dtype="uint8", shape=(ANY,)), flat, starts)
    prints = KIND.fingerprints([store.record(row) for row in range(5)])
    groups = near_duplicate_groups(prints, store, np.arange(5), KIND.alike)
    assert groups[0] == groups[1] == groups[2]
    assert len({*groups.tolist()}) == 3


def test_a_text_is_shown_escaped_whatever_is_in_it() -> None:
    (record,) = records_of(['<script>alert("x")</script> & more'])
    shown = KIND.show(record, caption='"><img src=x>')
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown


def test_clients_send_strings_and_get_them_back() -> None:
    given = np.array(["A  text", "Ein längerer Text"])
    records = KIND.from_client(given)
    assert records.shape == (2, len("Ein längerer Text".encode()))
    assert KIND.to_client(records).tolist() == ["A text", "Ein längerer Text"]
    assert KIND.served().shape == ()


def test_the_preview_draws_any_script_without_a_warning(tmp_path: Path) -> None:
    records = records_of(["plain $ text", "日本語 हिन्दी 👍 שלום"])
    statistics = KIND.measure(records, np.arange(2))
    policies = {"weak": KIND.Policy(), "view": KIND.Policy(crop=(0.5, 1.0), drop=0.2)}
    KIND.preview_policies(tmp_path / "preview.png", records, policies, statistics, 0)
    assert (tmp_path / "preview.png").read_bytes()[:4] == b"\x89PNG"
