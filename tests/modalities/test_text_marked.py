"""A text's words can be left out, and those that count are marked in what is shown, which stays escaped and short."""

import numpy as np
import pytest

from components.modalities.text import Text
from components.modalities.text.marked import SHOWN
from components.modalities.worded import Mark
from tests.texts import records_of

KIND = Text(Text.Config(length=8))


def _record(text: str) -> np.ndarray:
    return records_of([text])[0]


def test_without_a_mark_a_text_is_shown_as_it_was() -> None:
    record = _record("<b>War</b> & peace")
    assert KIND.show(record) == KIND.show_marked(record, [])
    assert "&lt;b&gt;War&lt;/b&gt; &amp; peace</blockquote>" in KIND.show(record)


def test_parts_are_the_words_that_a_model_sees_and_of_many_several_go_together() -> None:
    record = _record("Été: ok, 電影 " + "more " * 20)
    assert [KIND.said_in(record, part) for part in KIND.parts_of(record, 80)][:6] == ["Été", ":", "ok", ",", "電", "影"]
    assert len(KIND.parts_of(record, 80)) == 8
    together = KIND.parts_of(record, 3)
    assert [KIND.said_in(record, part) for part in together] == ["Été: ok", ", 電影", "more more"]


def test_leaving_a_part_out_leaves_the_rest() -> None:
    record = _record("Été in Rome")
    parts = KIND.parts_of(record, 80)
    assert KIND.to_file(KIND.without_part(record, parts[0])).decode() == " in Rome"
    assert KIND.to_file(KIND.without_part(record, parts[2])).decode() == "Été in "


def test_marks_stand_around_their_parts_the_stronger_the_darker_and_all_is_escaped() -> None:
    record = _record('a <b> "bad" idea')
    parts = KIND.parts_of(record, 80)
    html = KIND.show_marked(record, [Mark(parts[2], 0.5), Mark(parts[5], 0.1)], caption='"')
    assert html.count("<mark") == html.count("</mark>") == 2
    assert "<b>" not in html
    first, second = html.split("<mark")[1:]
    assert "without it the odds are 50 % smaller" in first
    assert "rgba(224,130,20,0.62)" in first
    assert "rgba(224,130,20,0.22)" in second


@pytest.mark.parametrize("place", [0, 700, 3000, 3995])
def test_of_a_long_text_what_is_shown_holds_what_counts(place: int) -> None:
    text = ("x" * place + " WORD " + "y" * (4000 - place)).strip()
    record = _record(text)
    start = text.index("WORD")
    html = KIND.show_marked(record, [Mark((start, start + 4), 0.3)])
    assert ">WORD</mark>" in html
    shown = html.split('title="">')[1].removesuffix("</blockquote>")
    assert len(shown.replace(shown[shown.index("<mark") : shown.index("WORD")], "").replace("</mark>", "")) <= SHOWN + 1
