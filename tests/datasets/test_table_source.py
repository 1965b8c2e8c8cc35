"""Tables as sources: how they are written is found, which column is what, and each fault is named."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
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
