"""Tables as sources: how they are written is found, which column is what, and each fault is named."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.core.errors import WinnowError
from components.datasets.sources import Columns, Item, Rejected, place_of, source_class
from components.datasets.sources._tables import as_text
from components.datasets.sources.table import Table

REVIEWS = 'id,review,stars,split\na,"Good, ""very"" good.\nTwo lines",5,train\nb,=1+1,1,\nc,Übel,1,val\n'


def _write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def _table(path: Path, **columns: Any) -> Table:
    return Table(Table.Config(argument=str(path), columns=Columns(**columns)))


def _items(table: Table) -> list[Item | Rejected]:
    return list(table.items())


def _all_of(path: Path, columns: dict[str, str]) -> None:
    table = _table(path, **columns)
    table.classes()
    _items(table)


def _texts(table: Table) -> list[str]:
    return [item.content.tobytes().decode() for item in _items(table) if isinstance(item, Item)]


def test_quotes_lines_and_formulas_are_read_as_they_are(tmp_path: Path) -> None:
    table = _table(_write(tmp_path, "reviews.csv", REVIEWS), label="stars")
    assert _texts(table) == ['Good, "very" good.\nTwo lines', "=1+1", "Übel"]
    rows = [item for item in _items(table) if isinstance(item, Item)]
    assert [(row.path, row.label, row.split) for row in rows] == [
        ("a", "5", "train"),
        ("b", "1", None),
        ("c", "1", "test"),
    ]
    assert table.classes() == ["1", "5"]
    assert table.count() == 3
    assert "text from 'review', class from 'stars', split from 'split', id from 'id'" in table.notices()[0]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", "byte order mark"), ("utf-16", "UTF-16"), ("latin-1", "Latin-1"), ("utf-8", "")],
)
def test_the_encoding_is_found_and_said(tmp_path: Path, encoding: str, said: str) -> None:
    table = _table(_write(tmp_path, "reviews.csv", REVIEWS, encoding), label="stars")
    assert _texts(table)[2] == "Übel"
    assert said in " ".join(table.notices()[1:])
    assert bool(table.notices()[1:]) == bool(said)


def test_all_forms_of_a_table_give_the_same_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["one", "two, three", "four\tfive"], "label": ["x", None, "y"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, sep=";")
    frame.to_csv(tmp_path / "c.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "d.parquet")
    (tmp_path / "e.jsonl").write_text(
        "\n".join(json.dumps(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records"))
    )
    made = {
        path.name: [(item.content.tobytes(), item.label) for item in _items(_table(path)) if isinstance(item, Item)]
        for path in sorted(tmp_path.iterdir())
    }
    assert made["a.csv"] == [(b"one", "x"), (b"two, three", None), (b"four\tfive", "y")]
    assert all(rows == made["a.csv"] for rows in made.values())


def test_a_row_with_too_few_cells_and_a_damaged_line_are_named(tmp_path: Path) -> None:
    table = _table(_write(tmp_path, "a.csv", "text,label\none,x\ntwo\nthree,y\n"))
    assert [row.reason for row in _items(table) if isinstance(row, Rejected)] == [
        "1 cells where the first line names 2: is a quote missing around a text?"
    ]
    lines = _table(_write(tmp_path, "a.jsonl", '{"text": "one"}\n{"text": \n[1]\n\n'))
    assert [type(row).__name__ for row in _items(lines)] == ["Item", "Rejected", "Rejected"]


def test_several_texts_are_joined_and_a_class_may_be_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.csv", "title,body,label\nOne,two,x\nThree,,y\n")
    assert _texts(_table(path, text=["title", "body"], label="")) == ["One\ntwo", "Three\n"]
    assert _table(path, text="title", label="").classes() == []


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("", {}, "is empty"),
        ("a,b\n1,2\n", {}, "none is named like texts"),
        ("text,text\n1,2\n", {}, "two columns named 'text'"),
        ("text,label\n1,2\n", {"text": "txt"}, "did you mean 'text'"),
        ("text,label\none,x\ntwo,x\n", {}, "at least two"),
        ("text,label\n" + "".join(f"t{n},own {n}\n" for n in range(30)), {}, "which are no classes"),
        ("text,split\none,sometimes\n", {}, "a split is one of"),
        ("text,id\none,1\ntwo,1\n", {}, "'1' again"),
    ],
)
def test_what_cannot_be_is_refused_with_the_setting_that_mends_it(
    tmp_path: Path, text: str, columns: dict[str, str], says: str
) -> None:
    path = _write(tmp_path, "a.csv", text)
    with pytest.raises(WinnowError, match=says):
        _all_of(path, columns)


def test_a_path_to_a_table_is_one_and_a_folder_of_that_name_is_none(tmp_path: Path) -> None:
    path = _write(tmp_path, "reviews.csv", REVIEWS)
    (tmp_path / "odd.csv").mkdir()
    assert source_class(str(path)) is Table
    assert place_of(str(path), Path("raw")) == path
    assert source_class(str(tmp_path / "odd.csv")).__name__ == "Folder"
    assert source_class("digits").__name__ == "Digits"


def test_no_parquet_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match=r"is no Parquet file"):
        _table(_write(tmp_path, "a.parquet", "text\none\n"))


def test_numbers_of_tables_are_whole_where_they_can_be() -> None:
    assert [as_text(value) for value in (1, 2.0, 2.5, None, float("nan"), "a")] == ["1", "2", "2.5", None, None, "a"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", 'text,label\ngood,a\n"open,b\nbad,a\nworse,b\n', r"opens a quote in line 3 that is never closed"),
        ("m.csv", "text,label\ngood,a\nbad,b\n" * 1 + 'odd,b"\x1b"\n', r"names a class .*of row 3, with a character"),
        ("m.csv", "text,label\ngood,food\nbad,f\u043eod\n", "alike but for upper case"),
        ("m.csv", "text,label\ngood,a\nbad,A\n", r"has the classes 'A', 'a'"),
        ("m.jsonl", '{"text": ["a", "b"], "label": "x"}\n', "holds a list in 'text' of row 1"),
        ("m.jsonl", '{"text": "a", "label": {"x": 1}}\n', "holds an object in 'label' of row 1"),
        ("m.jsonl", '{"text": "a", "label": "food\\ud800"}\n', "with a character that shows nothing"),
    ],
)
def test_a_table_that_would_be_read_wrongly_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = _write(tmp_path, name, content)
    with pytest.raises(WinnowError, match=said):
        _all_of(path, {})


def test_a_quote_that_only_the_last_row_holds_is_none_too_many(tmp_path: Path) -> None:
    assert _texts(_table(_write(tmp_path, "m.csv", 'text\nb\n"a\n""quoted"" one"'))) == ["b", 'a\n"quoted" one']


def test_the_separator_is_the_one_that_parts_most_columns_of_the_first_line(tmp_path: Path) -> None:
    semicolons = _table(
        _write(tmp_path, "a.csv", '"text, in; words, x";label\ngood;a\nbad;b\n'), text="text, in; words, x"
    )
    commas = _table(_write(tmp_path, "b.tsv", "text,label\ngood,a\nbad,b\n"))
    assert semicolons.classes() == commas.classes() == ["a", "b"]
    assert "b.tsv: columns are parted by ','." in commas.notices()


def test_a_column_that_comes_late_is_found_and_one_that_is_named_twice_is_damage(tmp_path: Path) -> None:
    rows = ['{"text": "a"}'] * 1500 + ['{"text": "b", "label": "x"}', '{"text": "c", "label": "y"}']
    late = _table(_write(tmp_path, "late.jsonl", "\n".join(rows)))
    assert late.classes() == ["x", "y"]
    twice = _table(_write(tmp_path, "twice.jsonl", '{"text": "a"}\n{"text": "b", "text": "c"}\n'))
    assert [one.reason for one in _items(twice) if isinstance(one, Rejected)] == ["a line that names 'text' twice."]


def test_columns_of_parquet_that_nobody_asks_for_are_not_read(tmp_path: Path) -> None:
    when = pa.array([2**62, 0], pa.timestamp("us"))
    binary = pa.array([b"good", "\u00fc".encode()], pa.binary())
    pq.write_table(pa.table({"text": binary, "label": ["a", "b"], "when": when}), tmp_path / "m.parquet")
    table = _table(tmp_path / "m.parquet")
    assert _texts(table) == ["good", "\u00fc"]
    assert "not read: 'when'" in table.notices()[0]
    pq.write_table(pa.table({"text": pa.array([b"\xff"], pa.binary())}), tmp_path / "n.parquet")
    with pytest.raises(WinnowError, match="holds bytes that are not UTF-8 in 'text' of row 1"):
        _items(_table(tmp_path / "n.parquet"))


def test_damage_inside_a_file_names_the_file(tmp_path: Path) -> None:
    pq.write_table(
        pa.table(
            {"text": ["some words of a text"] * 5000},
        ),
        tmp_path / "m.parquet",
    )
    content = bytearray((tmp_path / "m.parquet").read_bytes())
    content[4:40] = b"\xff" * 36
    (tmp_path / "m.parquet").write_bytes(content)
    with pytest.raises(WinnowError, match=r"m\.parquet cannot be read behind row \d+ .*write it anew"):
        _items(_table(tmp_path / "m.parquet"))
    (tmp_path / "u.csv").write_bytes("text\nb\n".encode("utf-16")[:-1])
    with pytest.raises(WinnowError, match=r"u\.csv says by its first bytes that it is UTF-16, and is not"):
        _table(tmp_path / "u.csv")


@pytest.mark.parametrize("columns", [{"text": "label"}, {"text": ["text", "text"]}, {"id": "label"}])
def test_a_column_is_asked_for_once(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = _write(tmp_path, "m.csv", "text,label\na,x\nb,y\n")
    with pytest.raises(WinnowError, match="is asked for twice"):
        _table(path, **columns)


@pytest.mark.parametrize("none", [[], "", [""]])
def test_texts_need_a_column(tmp_path: Path, none: Any) -> None:
    with pytest.raises(WinnowError, match=r"ingest\.columns\.text names no column"):
        _table(_write(tmp_path, "m.csv", "text,label\na,x\nb,y\n"), text=none)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_found_and_said(tmp_path: Path, encoding: str) -> None:
    table = _table(_write(tmp_path, "reviews.csv", REVIEWS, encoding), label="stars")
    assert _texts(table)[2] == "\u00dcbel"
    assert "is written in UTF-16, though no first bytes say so" in table.notices()[1]


def test_quotes_that_windows_has_where_latin_1_has_none_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"text\n\x93Good\x94 it\x92s \x80 5\nbad\n")
    assert _texts(_table(path))[0] == "\u201cGood\u201d it\u2019s \u20ac 5"
    path.write_bytes(b"text\n\xe9t\xe9 \x81\nbad\n")  # no letter of Windows' either
    assert _texts(_table(path))[0] == "\u00e9t\u00e9 \x81"


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;\r"])
def test_a_first_line_that_says_the_separator_is_none_of_names(tmp_path: Path, first: str) -> None:
    table = _table(_write(tmp_path, "m.csv", f"{first}\ntext;label\ngood, so good;a\nbad;b\n"))
    assert _texts(table) == ["good, so good", "bad"]
    assert "m.csv: columns are parted by ';'." in table.notices()
    with pytest.raises(WinnowError, match="opens a quote in line 4 that is never closed"):
        _items(_table(_write(tmp_path, "n.csv", f'{first}\ntext;label\nc;a\n"d;b\n')))


MISSING = "text,label\nA,x\nB,y\nC,NULL\nD,NULL\nE,n/a\n"


@pytest.mark.parametrize(
    "cell", ["NULL", "None", "nan", "n/a", "#N/A", "<NA>", "\\N", "?", "-", "unlabelled", "unknown"]
)
def test_a_cell_that_may_mean_no_class_must_be_explained(tmp_path: Path, cell: str) -> None:
    path = _write(tmp_path, "m.csv", f"text,label\nA,x\nB,y\nC,{cell}\n")
    with pytest.raises(WinnowError, match="say which cells mean that there is no class"):
        _table(path).classes()
    table = _table(path, unlabeled=[cell])
    assert table.classes() == ["x", "y"]
    assert [item.label for item in _items(table) if isinstance(item, Item)] == ["x", "y", None]
    assert _table(path, unlabeled=[]).classes() == sorted(["x", "y", cell])


def test_cells_without_a_class_are_counted_and_said(tmp_path: Path) -> None:
    table = _table(_write(tmp_path, "m.csv", MISSING), unlabeled=["NULL", "n/a"])
    assert table.notices()[-1] == "m.csv: 'NULL' in 2 rows and 'n/a' in 1 rows of 'label' means no class."


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({}, r"has 'NULL' \(2 rows\) and 'n/a' \(1 rows\) in 'label'"),
        ({"unlabeled": ["NUL"]}, "which no row of m.csv says in 'label': did you mean 'NULL'"),
        ({"unlabeled": ["NULL"], "label": ""}, "has no column of classes"),
    ],
)
def test_cells_that_no_row_has_or_that_no_column_holds_are_refused(
    tmp_path: Path, columns: dict[str, Any], says: str
) -> None:
    with pytest.raises(WinnowError, match=says):
        _table(_write(tmp_path, "m.csv", MISSING), **columns).classes()


def test_words_that_programs_write_for_nothing_are_known_from_classes(tmp_path: Path) -> None:
    path = _write(tmp_path, "m.csv", "text,label\nA,nano\nB,-1\nC,1\nD,nullable\nE,nonesuch\nF,other\n")
    assert len(_table(path).classes()) == 6
