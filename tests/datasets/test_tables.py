"""Manifest, sample store, oracle and quarantine: what is written is what is read."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.datasets import manifest as manifests
from components.datasets.oracle import read_classes, reveal, write_oracle
from components.datasets.quarantine import read_leaks, read_quarantine, write_quarantine
from components.datasets.sample_store import ANY, About, open_samples, spooling, write_samples
from components.modalities.image import Image
from tests.pictures import save_pictures


def rows(ids, splits):
    n = len(ids)
    same = {"path": ids, "group": ids, "width": [8] * n, "height": [9] * n, "mode": ["L"] * n, "bytes": [72] * n}
    return pd.DataFrame({"id": ids, "split": splits, "sha256": ids, **same})


def test_the_manifest_is_sorted_by_id_and_positions_are_its_row_numbers(tmp_path):
    manifests.write_manifest(tmp_path / "m.parquet", rows(["c", "a", "b"], ["test", "train", "test"]), Image.facts)
    manifest = manifests.read_manifest(tmp_path / "m.parquet")
    assert list(manifest["id"]) == ["a", "b", "c"]
    assert manifests.positions_of(manifest, "train").tolist() == [0]
    assert manifests.positions_of(manifest, "test").tolist() == [1, 2]
    assert manifests.positions_of(manifest, "test").dtype == np.int64
    assert list(manifests.read_manifest(tmp_path / "m.parquet", ["id"]).columns) == ["id"]
    schema = manifests.schema_of(Image.facts, lengths=False)
    assert pq.read_schema(tmp_path / "m.parquet").remove_metadata() == schema


def test_rows_are_found_by_id_in_any_order_and_an_unknown_id_is_named():
    ids = ["a", "c", "e"]
    assert manifests.rows_of(["e", "a"], ids, "t").tolist() == [2, 0]
    assert manifests.rows_of([], ids, "t").dtype == np.int64
    with pytest.raises(WinnowError, match=r"labels\.parquet names sample b and 1 more, which .*`winnow repro`"):
        manifests.rows_of(["a", "b", "z"], ids, "labels.parquet")


def about(shape, dtype="uint8"):
    return About(modality=PluginChoice(name="image"), dtype=dtype, shape=shape)


def test_samples_are_written_in_the_wanted_order_and_the_spool_is_gone(tmp_path):
    pictures = np.arange(5 * 3 * 2 * 2, dtype=np.uint8).reshape(5, 3, 2, 2)
    with spooling(tmp_path / "spool", about((3, 2, 2))) as spool:
        for picture in pictures:
            spool.append(picture)
        write_samples(tmp_path / "s.npy", spool.samples(), np.array([4, 0, 2]))
    samples = open_samples(tmp_path / "s.npy")
    assert isinstance(samples.values, np.memmap)
    assert np.array_equal(samples[np.arange(3)], pictures[[4, 0, 2]])
    assert np.array_equal(samples.record(1), pictures[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.json", "s.npy"]
    assert samples.about == about((3, 2, 2))


def test_records_of_any_length_come_back_whole_and_padded_to_the_longest(tmp_path):
    texts = [np.arange(1, count + 1, dtype=np.int32) for count in (3, 1, 0, 5)]
    with spooling(tmp_path / "spool", about((ANY,), "int32")) as spool:
        for text in texts:
            spool.append(text)
        assert [spool.samples().record(row).tolist() for row in range(4)] == [text.tolist() for text in texts]
        write_samples(tmp_path / "samples.npy", spool.samples(), np.array([3, 0, 2]))
    pq.write_table(pa.table({"length": [5, 3, 0]}), tmp_path / "manifest.parquet")
    samples = open_samples(tmp_path / "samples.npy")
    assert len(samples) == 3
    assert samples.record(1).tolist() == [1, 2, 3]
    assert samples[np.array([1, 2])].tolist() == [[1, 2, 3], [0, 0, 0]]
    assert samples[np.array([0, 1])].tolist() == [[1, 2, 3, 4, 5], [1, 2, 3, 0, 0]]
    pq.write_table(pa.table({"length": [5, 3, 1]}), tmp_path / "manifest.parquet")
    with pytest.raises(WinnowError, match="holds 8 values, and the manifest says 9"):
        open_samples(tmp_path / "samples.npy")


def test_a_spool_without_samples_is_empty(tmp_path):
    with spooling(tmp_path / "spool", about((1, 4, 4))) as spool:
        assert len(spool.samples()) == 0


def test_a_damaged_store_is_a_sentence(tmp_path):
    path = tmp_path / "s.npy"
    save_pictures(path, np.zeros((4, 1, 8, 8), np.uint8))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(WinnowError, match="damaged"):
        open_samples(path)
    np.save(path, np.zeros(3))
    with pytest.raises(WinnowError, match="float64"):
        open_samples(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(WinnowError, match=r"s\.json is damaged"):
        open_samples(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(WinnowError, match=r"s\.json is missing: run `dvc repro ingest`"):
        open_samples(path)


def test_the_oracle_answers_in_the_order_asked_and_admits_ignorance(tmp_path):
    truth = pd.DataFrame({"id": ["b", "a"], "class": ["tench", "church"]})
    write_oracle(tmp_path / "o.parquet", truth, ["tench", "church", "empty"])
    assert reveal(tmp_path / "o.parquet", ["b", "nobody", "a", "b"]) == ["tench", None, "church", "tench"]
    assert reveal(tmp_path / "o.parquet", []) == []
    assert read_classes(tmp_path / "o.parquet") == ["church", "empty", "tench"]
    assert json.loads(pq.read_schema(tmp_path / "o.parquet").metadata[b"classes"]) == ["church", "empty", "tench"]


def test_an_oracle_that_knows_nothing_can_be_asked(tmp_path):
    write_oracle(tmp_path / "o.parquet", pd.DataFrame({"id": [], "class": []}), [])
    assert read_classes(tmp_path / "o.parquet") == []
    assert reveal(tmp_path / "o.parquet", ["a"]) == [None]


def test_the_quarantine_remembers_what_was_done_with_leaks(tmp_path):
    row = {"path": "b", "kind": "leak", "reason": "why", "twin": None}
    write_quarantine(tmp_path / "q.parquet", pd.DataFrame([row, {**row, "path": "a", "twin": "c"}]), leaks="drop")
    quarantine = read_quarantine(tmp_path / "q.parquet")
    assert list(quarantine["path"]) == ["a", "b"]
    assert quarantine["twin"].isna().tolist() == [False, True]
    assert read_leaks(tmp_path / "q.parquet") == "drop"
