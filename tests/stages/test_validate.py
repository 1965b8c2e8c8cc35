"""Stage validate: sound data passes; each kind of broken data is stopped, named, and shown on a page."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.core.errors import Refused
from components.datasets.expectations import Batch, check, unique
from components.datasets.manifest import schema_of
from components.datasets.oracle import write_oracle
from components.datasets.quarantine import write_quarantine
from components.modalities.image import Image
from components.stages import validate
from tests.pictures import save_pictures, write_manifest


class Tables:
    """Ten sound samples of two classes, to be broken by a test."""

    def __init__(self, home):
        sha = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10)]
        ids = [text[:16] for text in sha]
        self.home = home
        self.samples = pd.DataFrame({"id": ids, "path": [f"{n}.png" for n in range(10)], "group": ids, "sha256": sha})
        self.samples["split"] = ["test" if number > 6 else "train" for number in range(10)]
        self.samples[["width", "height", "bytes"]] = 32
        self.samples["mode"] = "RGB"
        self.truth = pd.DataFrame({"id": ids, "class": ["cat", "dog"] * 5})
        self.left_out = pd.DataFrame({"path": [], "kind": [], "reason": [], "twin": []}, dtype="str")
        self.leaks = "refuse"

    def leave_out(self, kind, count):
        rows = [{"path": f"q{n}", "kind": kind, "reason": "why", "twin": None} for n in range(count)]
        self.left_out = pd.DataFrame(rows).astype({"twin": "str"})

    def validate(self, **params):
        paths = {name: self.home / f"{name}.parquet" for name in ("manifest", "quarantine", "oracle")}
        if not paths["manifest"].exists():
            write_manifest(paths["manifest"], self.samples)
        write_quarantine(paths["quarantine"], self.left_out, leaks=self.leaks)
        write_oracle(paths["oracle"], self.truth, ["cat", "dog"])
        samples = self.home / "samples.npy"
        save_pictures(samples, np.zeros((1, 1, 32, 32), np.uint8))
        settings = validate.Params(**{"min_test": 3, **params})
        return validate.run(params=settings, samples=samples, verdict=self.home / "verdict.json", **paths)

    def refused(self, **params):
        """The sentence, the verdict and the broken tables."""
        with pytest.raises(Refused) as refusal:
            self.validate(**params)
        verdict = json.loads((self.home / "verdict.json").read_text())
        assert verdict["success"] is False
        assert (self.home / "docs" / "index.html").is_file()
        return str(refusal.value), verdict["failed"]


@pytest.fixture
def tables(tmp_path):
    return Tables(tmp_path)


def test_sound_data_passes_and_the_verdict_has_no_time_in_it(tables):
    metrics = tables.validate()
    first = (tables.home / "verdict.json").read_bytes()
    assert metrics["failed"] == 0
    assert json.loads(first)["statistics"]["train"] == 7
    tables.validate()
    assert (tables.home / "verdict.json").read_bytes() == first
    assert b"2026" not in first
    assert str(tables.home).encode() not in first


def test_a_second_row_with_the_same_id_is_named(tables):
    tables.samples.loc[1, "id"] = tables.samples.loc[0, "id"]
    sentence, failed = tables.refused()
    assert "Every id occurs once (broken by 2 of 10 rows)" in sentence
    assert "0.png" in sentence
    assert "data/validate/docs/index.html" in sentence
    page = (tables.home / "docs" / "index.html").read_text()
    assert "broken by 2 of 10 rows" in page
    assert "path 0.png" in page
    assert "validations/manifest/" in page
    assert failed[0]["expectation"] == "expect_column_values_to_be_unique"
    assert {row["path"] for row in failed[0]["rows"]} == {"0.png", "1.png"}


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("id", "not-an-id", "16 hexadecimal"),
        ("split", "dev", "train or test"),
        ("width", 0, "Every width"),
        ("mode", "XYZ", "pixel format"),
        ("path", "1.png", "Every path"),
    ],
)
def test_a_value_out_of_bounds_is_named(tables, column, value, says):
    tables.samples.loc[0, column] = value
    sentence, _ = tables.refused()
    assert says in sentence


def test_a_split_without_samples_is_refused(tables):
    tables.samples["split"] = "train"
    sentence, _ = tables.refused()
    assert "Both splits have samples (missing: test)" in sentence


def test_a_group_on_both_sides_is_refused_with_its_pair(tables):
    tables.samples.loc[9, "group"] = tables.samples.loc[0, "group"]
    sentence, failed = tables.refused()
    assert "ingest.leaks: drop" in sentence
    assert failed[0]["rows"] == [{"group": tables.samples.loc[0, "group"], "path": "0.png", "twin": "9.png"}]


@pytest.mark.parametrize("change", ["rename", "retype", "extra"])
def test_a_drifted_schema_stops_before_anything_else_is_asked(tables, change):
    usual = schema_of(Image.facts, lengths=False)
    schema = {
        "rename": usual.set(4, pa.field("breite", pa.int32())),
        "retype": usual.set(4, pa.field("width", pa.int64())),
        "extra": usual.append(pa.field("class", pa.string())),
    }[change]
    table = tables.samples.assign(breite=32, **{"class": "cat"})
    pq.write_table(pa.Table.from_pandas(table[schema.names], schema=schema), tables.home / "manifest.parquet")
    sentence, failed = tables.refused()
    assert "exactly the columns and types" in sentence
    assert {row["column"] for row in failed[0]["rows"]} <= {"width", "breite", "class"}
    assert len(failed) == 1


def test_an_unknown_class_and_a_stranger_in_the_oracle_are_refused(tables):
    tables.truth.loc[0, "class"] = "cow"
    tables.truth.loc[1, "id"] = "f" * 16
    _, failed = tables.refused()
    assert [failure["table"] for failure in failed] == ["truth", "truth"]
    assert {row["id"] for failure in failed for row in failure["rows"]} == {tables.truth.loc[0, "id"], "f" * 16}


def test_too_few_pictures_of_a_class_are_counted_in_training_alone(tables):
    tables.validate(min_per_class=3)
    sentence, failed = tables.refused(min_per_class=4)
    assert "Every class has at least 4 training samples" in sentence
    assert failed[0]["rows"] == [{"class": "dog", "train_samples": 3}]


@pytest.mark.parametrize(
    ("kind", "setting"), [("unreadable", "max_unreadable"), ("unsafe", "max_unreadable"), ("conflict", "max_conflicts")]
)
def test_what_was_left_out_may_not_pass_its_share(tables, kind, setting):
    tables.leave_out(kind, 10)
    sentence, failed = tables.refused()
    assert f"validate.{setting}" in sentence
    assert failed[0]["rows"][0]["files"] == 10
    assert "q0, q1, q2" in sentence
    tables.validate(**{setting: 0.5})


def test_a_quarantined_leak_passes_only_when_dropping_was_asked_for(tables):
    tables.leave_out("leak", 1)
    sentence, _ = tables.refused()
    assert "ingest.leaks" in sentence
    tables.leaks = "drop"
    tables.validate()


def test_the_page_shows_a_hostile_name_as_text(tables):
    tables.samples.loc[[0, 1], "path"] = "<script>alert(1)</script>.png"
    tables.refused()
    page = (tables.home / "docs" / "index.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_data_without_any_class_passes(tables):
    paths = {name: tables.home / f"{name}.parquet" for name in ("manifest", "quarantine", "oracle")}
    write_manifest(paths["manifest"], tables.samples)
    write_quarantine(paths["quarantine"], tables.left_out, leaks="refuse")
    write_oracle(paths["oracle"], tables.truth[:0], [])
    paths |= {"samples": tables.home / "samples.npy", "verdict": tables.home / "verdict.json"}
    save_pictures(paths["samples"], np.zeros((1, 1, 32, 32), np.uint8))
    assert validate.run(params=validate.Params(min_test=3), **paths)["failed"] == 0


def test_nothing_to_check_is_no_success(tables, tmp_path):
    with pytest.raises(Refused, match="nothing expected of it"):
        check([Batch("t", tables.samples, [], ("id",))], tmp_path)
    with pytest.raises(Refused, match="no rows"):
        check([Batch("t", tables.samples[:0], [unique("id", "x")], ("id",))], tmp_path)
    tables.samples = tables.samples[:0]
    with pytest.raises(Refused, match="no rows"):
        tables.validate()


def test_too_few_test_pictures_are_refused_at_all_and_by_class(tables):
    sentence, failed = tables.refused(min_test=4)
    assert len(failed) == 1
    assert "validate.min_test; ingest.test_fraction" in sentence
    sentence, failed = tables.refused(min_test_per_class=2)
    assert [row["class"] for broken in failed for row in broken["rows"]] == ["cat"]
    assert "validate.min_test_per_class" in sentence


def test_a_source_that_knows_the_classes_of_test_pictures_alone_passes(tables):
    tables.truth = tables.truth[7:]
    assert tables.validate()["failed"] == 0
    _, failed = tables.refused(min_test_per_class=2)
    assert [row["class"] for row in failed[0]["rows"]] == ["cat"]
