"""Texts written anew: found by the text itself, drawn by chance, kept with the policies, and refused where none fit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from components.core.errors import WinnowError
from components.modalities.text.policy import Policy
from components.modalities.text.versions import Versions, digest, read_versions
from components.modalities.views import read_views, write_views
from tests.texts import records_of, views_of

TEXTS = ["the owl sleeps", "a boat sails far out", "the tram is late"]
IDS = ["a1", "b2", "c3"]
RECORDS = records_of(TEXTS)
NEW = {
    "id": ["b2", "b2", "a1", "zz"],
    "text": ["out sails a boat, far, far away", "a ship sails", "an owl rests", "other"],
}


def _said(records: torch.Tensor) -> list[str]:
    return [row.tobytes().rstrip(b"\0").decode() for row in records.numpy()]


def test_versions_are_found_by_the_text_and_the_rest_stays(tmp_path: Path) -> None:
    pd.DataFrame(NEW).to_csv(tmp_path / "new.csv", index=False)
    found = read_versions(tmp_path / "new.csv", RECORDS, np.arange(3), IDS)
    assert found == {digest(RECORDS[0]): NEW["text"][2:3], digest(RECORDS[1]): NEW["text"][:2]}
    said = _said(Versions(found)(torch.from_numpy(RECORDS), 1.0, np.arange(3), 0))
    assert said[0] == "an owl rests"
    assert said[1] in NEW["text"][:2]
    assert said[2] == TEXTS[2]


def test_versions_are_drawn_as_often_as_the_chance_says_whatever_the_batch() -> None:
    versions = Versions({digest(RECORDS[0]): ["x", "y"]})
    many, keys = torch.from_numpy(RECORDS[:1]).repeat(3000, 1), np.arange(3000)
    said = _said(versions(many, 0.4, keys, 0))
    assert [said.count(one) / 3000 for one in ("x", "y")] == pytest.approx([0.2, 0.2], abs=0.03)
    assert _said(versions(many[:5], 0.4, keys[7:12], 0)) == said[7:12]
    assert _said(versions(many, 0.4, keys, 1)) != said


def test_what_was_gathered_is_kept_with_the_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/weights").mkdir(parents=True)
    pd.DataFrame(NEW).to_parquet("data/weights/new.parquet")
    policy = Policy.model_validate({"rewritten": {"chance": 1.0, "file": "data/weights/new.parquet"}})
    views = views_of(TEXTS + NEW["text"], view=policy, weak=Policy())
    material = views.modality.gather(views.policies.values(), RECORDS, np.arange(3), IDS)
    views.modality = views.modality.with_material(material)
    write_views(tmp_path / "policy.json", views)
    monkeypatch.chdir("/")  # the file is not asked again
    same = read_views(tmp_path / "policy.json")
    records = torch.from_numpy(RECORDS)
    seen = same["view"](records, np.arange(3), 0)
    assert torch.equal(seen, views["view"](records, np.arange(3), 0))
    assert not torch.equal(seen[0, :3], same.plain(records)[0, :3])
    assert torch.equal(seen[2, :4], same.plain(records)[2, :4])
    assert "rewritten" in same.modality.ladder
    (tmp_path / "policy.npz").write_bytes(b"PK nothing")
    with pytest.raises(WinnowError, match="damaged"):
        read_views(tmp_path / "policy.json")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.csv", None, "no such file"),
        ("new.csv", "id,said\na1,x\n", "another form"),
        ("new.parquet", "PAR1", "another form"),
        ("new.csv", "id,text\nzz,x\n", "none of the 3 training texts"),
        ("new.csv", "id,text\na1, \n", "none of the 3 training texts"),
    ],
)
def test_a_file_without_versions_of_these_texts_is_refused(
    tmp_path: Path, name: str, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(WinnowError, match=says):
        read_versions(tmp_path / name, RECORDS, np.arange(3), IDS)
