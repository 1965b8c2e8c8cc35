"""Heads and feet that many texts share are found, counted and quoted; what few share, or chance gives, is not."""

import numpy as np
import pytest

from components.modalities.text.boilerplate import FAR, boilerplate
from tests.texts import about

HEAD = "You are receiving this because you once bought a <b>lamp</b>."
FOOT = "-- \nSent from my phone, please excuse typos."


def _said(texts: list[str]) -> list[str]:
    records = [np.frombuffer(text.encode(), np.uint8) for text in texts]
    return boilerplate(records.__getitem__, np.arange(len(records)))


def _texts(count: int) -> list[str]:
    return about(count)[0]


def test_a_head_is_named_with_how_many_texts_have_it_and_what_it_is() -> None:
    texts = [f"{HEAD} {text}" if row % 10 == 0 else text for row, text in enumerate(_texts(200))]
    (said,) = _said(texts)
    assert said.startswith("20 of 200 texts begin alike")
    assert f"'{HEAD}'" in said


def test_a_foot_is_found_from_behind_whatever_its_case_and_lines() -> None:
    texts = [
        f"{text}\n{FOOT.upper() if row % 2 else FOOT}" if row < 30 else text for row, text in enumerate(_texts(99))
    ]
    (said,) = _said(texts)
    assert said.startswith("30 of 99 texts end alike")
    assert "sent from my phone, please excuse typos.'" in said.lower()


def test_the_widest_is_said_first_and_heads_before_feet() -> None:
    texts = [f"{text} {FOOT}" for text in _texts(60)]
    texts = [f"{HEAD if row % 3 else 'Dear friend of the harbor office, good day.'} {t}" for row, t in enumerate(texts)]
    assert [line.split(",")[0] for line in _said(texts)] == [
        "40 of 60 texts begin alike",
        "20 of 60 texts begin alike",
        "60 of 60 texts end alike",
    ]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        _texts(300),
        [f"{HEAD} {text}" if row < 9 else text for row, text in enumerate(_texts(300))],  # nine
        [f"I like it. {text}" for text in _texts(50)],  # of four words
        [f"船员还没有到{text}" for text in _texts(50)],  # six signs
        ["a b c d"] * 50,
    ],
)
def test_what_few_share_and_what_is_short_is_no_boilerplate(texts: list[str]) -> None:
    assert _said(texts) == []


def test_what_is_shared_far_beyond_a_sentence_is_cut_in_it() -> None:
    (said,) = _said([f"{' '.join(f'word{one}' for one in range(2 * FAR))} {row}" for row in range(12)])
    assert "'word0 word1 " in said
    assert "..." in said
    assert len(said) < 400
