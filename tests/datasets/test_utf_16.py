"""UTF-16 without its mark is told from all else by its bytes alone."""

import random

import pytest

from components.datasets.utf_16 import full_of_controls, utf_16

TEXTS = (
    "Hello there, friend.\n",
    "Привет, как дела?",
    "Καλημέρα κόσμε",
    "你好世界，天气很好。",
    "日本語です、今日は",
    "안녕하세요 여러분",
    "שלום עולם",
    "ok 👍🏽 fine",
    "text,label\n你好,x\n",
    "a",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_texts_of_any_script_are_recognized_whichever_byte_is_first(text: str, encoding: str) -> None:
    assert utf_16(text.encode(encoding)) == encoding


@pytest.mark.parametrize("text", TEXTS)
def test_utf_8_is_never_taken_for_it(text: str) -> None:
    assert utf_16(text.encode()) == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x00",
        b"a\x00b\x07c",
        "na\u00efve caf\u00e9s".encode("latin-1"),
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\x01\x02\xe9",
        *(random.Random(seed).randbytes(200) for seed in range(20)),
    ],
)
def test_neither_stray_nul_bytes_nor_pictures_nor_noise_are(content: bytes) -> None:
    assert utf_16(content) == ""


def test_a_long_text_is_told_by_its_beginning_though_that_ends_within_a_letter() -> None:
    assert utf_16(("xx" + "я👍" * 5000).encode("utf-16-le")) == "utf-16-le"


def test_one_control_in_a_hundred_letters_is_not_many() -> None:
    assert not full_of_controls("a" * 99 + "\x00")
    assert full_of_controls("a" * 98 + "\x00\x01")
