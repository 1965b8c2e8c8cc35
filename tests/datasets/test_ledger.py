"""The ledger: what counts, what is refused, and that appending is all or nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.datasets.ledger import COLUMNS, append, in_force, read_ledger, undated, without_effect

HEADER = ",".join(COLUMNS) + "\n"


def row(id="a", label="cat", annotator="ann", source="person", **others):
    return {"id": id, "label": label, "annotator": annotator, "source": source, **others}


def test_rows_come_back_as_they_went_in(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(label='a "quoted", name', round=2, cost=0.5, note="two\nlines")])
    append(path, [row(id="b")])
    ledger = read_ledger(path)
    assert list(ledger["id"]) == ["a", "b"]
    assert ledger.loc[0, "label"] == 'a "quoted", name'
    assert ledger.loc[0, "note"] == "two\nlines"
    assert ledger["round"].tolist() == [2, 0]
    assert ledger["cost"].tolist() == [0.5, 0.0]


def test_the_bare_header_is_an_empty_ledger(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(HEADER)
    assert len(in_force(read_ledger(path))) == 0


def test_a_later_row_by_the_same_annotator_replaces_the_earlier(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(label="cat"), row(label="dog"), row(label="cow", annotator="bob")])
    assert in_force(read_ledger(path))["label"].tolist() == ["dog", "cow"]


def test_an_empty_label_withdraws_only_that_annotators_label(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(), row(annotator="bob"), row(label="")])
    assert in_force(read_ledger(path))["annotator"].tolist() == ["bob"]


def test_a_withdrawn_label_can_be_given_again(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(), row(label=""), row(label="dog")])
    assert in_force(read_ledger(path))["label"].tolist() == ["dog"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a,cat,ann,machine,0,0,,", "line 3, column source: unknown 'machine'"),
        ("a,cat,ann,persn,0,0,,", "did you mean 'person'"),
        ("a,cat,ann,person,1.5,0,,", "line 3, column round: '1.5'"),
        ("a,cat,ann,person,0,cheap,,", "line 3, column cost: 'cheap'"),
        ("a,cat,ann,person,0,nan,,", "line 3, column cost: 'nan'"),
        ("a,cat,ann,person,0,-1,,", "line 3, column cost: '-1'"),
        (",cat,ann,person,0,0,,", "line 3, column id: empty"),
        ("a,cat,,person,0,0,,", "line 3, column annotator: empty"),
        ("a,cat,ann", "line 3: 3 of 8 fields"),
        ('a,"cat', "line 3: not valid CSV"),
        ("=======", "line 3: a conflict marker"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, says):
    path = tmp_path / "ledger.csv"
    path.write_text(HEADER + "a,cat,ann,person,0,0,,\n" + line + "\n")
    with pytest.raises(WinnowError, match=r"ledger\.csv") as error:
        read_ledger(path)
    assert says in str(error.value)


def test_other_columns_are_refused(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text("id,label\n")
    with pytest.raises(WinnowError, match="line 1: the columns must be id,label,annotator"):
        read_ledger(path)
    path.write_text("<<<<<<< HEAD\n" + HEADER)
    with pytest.raises(WinnowError, match="line 1: a conflict marker"):
        read_ledger(path)


def test_nothing_is_appended_when_one_row_is_wrong(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row()])
    before = path.read_bytes()
    with pytest.raises(WinnowError, match="new row 2, column source"):
        append(path, [row(id="b"), row(id="c", source="guess")])
    with pytest.raises(WinnowError, match="unknown column 'lable'"):
        append(path, [{"id": "b", "lable": "cat"}])
    assert path.read_bytes() == before


def test_appending_never_changes_what_is_there_even_without_a_last_newline(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(HEADER + "a,cat,ann,person,0,0,,")
    append(path, [row(id="b")])
    assert path.read_text() == HEADER + "a,cat,ann,person,0,0,,\nb,cat,ann,person,,,,\n"


def test_a_missing_or_foreign_file_is_a_sentence(tmp_path):
    with pytest.raises(WinnowError, match="is missing"):
        read_ledger(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(WinnowError, match="not UTF-8"):
        read_ledger(tmp_path / "latin.csv")


def test_the_later_date_counts_whatever_the_order_of_rows_and_a_row_without_date_replaces_what_stands_above(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(label="cat", at="2026-03-02T01:00:00+02:00"), row(label="dog", at="2026-03-01T22:00:00Z")])
    assert in_force(read_ledger(path))["label"].tolist() == ["cat"]
    append(path, [row(label="cow"), row(label="pig", at="2026-01-01")])
    assert in_force(read_ledger(path))["label"].tolist() == ["cow"]


def test_a_date_alone_is_the_whole_day_so_that_the_place_in_the_file_counts(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(label="cat", at="2026-03-01T10:00:00Z"), row(label="dog", at="2026-03-01")])
    assert in_force(read_ledger(path))["label"].tolist() == ["dog"]
    append(path, [row(label="cow", at="2026-03-01T09:00:00Z"), row(label="pig", at="2026-02-28")])
    assert in_force(read_ledger(path))["label"].tolist() == ["dog"]
    append(path, [row(label="ant", at="2026-03-01T11:00:00Z")])
    assert in_force(read_ledger(path))["label"].tolist() == ["ant"]


def test_a_date_that_is_none_is_refused_where_it_is_new_or_order_matters(tmp_path):
    path = tmp_path / "ledger.csv"
    with pytest.raises(WinnowError, match="new row 1, column at: 'soon'"):
        append(path, [row(at="soon")])
    path.write_text(HEADER + "a,cat,ann,person,,,01.03.2026,\na,dog,bob,person,,,,\n")
    assert undated(read_ledger(path))["line"].tolist() == [2]
    path.write_text(path.read_text() + "a,dog,ann,person,,,,\n")
    with pytest.raises(WinnowError, match=r"line 2, column at: '01.03.2026'"):
        read_ledger(path)


def test_what_spreadsheets_leave_around_the_rows_is_skipped(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(
        "\ufeff\n"
        + HEADER.replace("\n", ",,\n")
        + "a,cat,ann,person,,,,,,\n\ufeff"
        + HEADER
        + "\ufeff\n;;;;;;;\n\t\t\nb,dog,ann,person,,,,\n\x1a"
    )
    assert read_ledger(path)["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("character", ["\x07", "\x1b", "\x9b", "\u2066", "\ue000", "\u0378", "\U000e0041"])
@pytest.mark.parametrize("column", ["label", "annotator"])
def test_a_name_with_a_character_that_cannot_be_seen_is_refused(tmp_path, column, character):
    with pytest.raises(WinnowError, match=rf"new row 1, column {column}: .*U\+") as error:
        append(tmp_path / "ledger.csv", [row(**{column: f"c{character}at" + "x" * 500})])
    assert len(str(error.value)) < 200


def test_the_byte_that_is_not_utf_8_is_counted_in_the_whole_file(tmp_path):
    path = tmp_path / "ledger.csv"
    sound = (HEADER + "a,cat,ann,person,,,,\n" * 9000).encode()
    path.write_bytes(sound + b"\xe9\n")
    with pytest.raises(WinnowError, match=f"byte {len(sound)}"):
        read_ledger(path)


def test_rows_without_content_and_repeated_headers_are_skipped_and_rows_in_vain_are_known(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(
        HEADER + "\n,,,,,,,\na,cat,ann,person,,,,\n" + HEADER + " , ,\na, cat ,ann,person,,,,\nb,,ann,person,,,,\n"
    )
    ledger = read_ledger(path)
    assert ledger["line"].tolist() == [4, 7, 8]
    assert without_effect(ledger) == {"repeats": [7], "withdrawals": [8], "older": []}


def test_an_answer_that_an_older_date_leaves_without_effect_is_known(tmp_path):
    path = tmp_path / "ledger.csv"
    append(path, [row(at="2062-03-01"), row(id="b", at="2062-03-01"), row(label="dog", at="2026-03-02")])
    append(path, [row(label="cow", at="2026-03-03"), row(label="emu")])
    append(path, [row(label="fox", annotator="bob", at="2026-03-01")])
    ledger = read_ledger(path)
    assert in_force(ledger)["label"].tolist() == ["cat", "emu", "fox"]
    assert without_effect(ledger)["older"] == [4, 5]


def test_two_branches_that_each_add_a_row_merge_without_a_conflict(tmp_path):
    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    path = tmp_path / "data" / "labels" / "ledger.csv"
    shutil.copyfile(Path(__file__).parents[2] / ".gitattributes", tmp_path / ".gitattributes")
    git("init", "-b", "main")
    append(path, [row()])
    for branch, label, at in (("one", "dog", "2026-03-02"), ("two", "cow", "2026-03-01")):
        git("add", ".")
        git("commit", "--allow-empty", "-m", "before")
        git("checkout", "-b", branch, *(["main"] if branch == "two" else []))
        append(path, [row(label=label, at=at), row(id=branch)])
        git("commit", "-am", branch)
        git("checkout", "main")
    git("merge", "one")
    git("merge", "two")
    counted = in_force(read_ledger(path)).set_index("id")["label"].to_dict()
    assert counted == {"a": "dog", "one": "cat", "two": "cat"}
