"""Folders of texts through the stage: laid out as pictures are, in any encoding, each fault named."""

from pathlib import Path

import numpy as np
import pytest

from components.datasets.manifest import read_manifest
from components.datasets.quarantine import read_losses, read_quarantine
from components.stages import ingest, validate
from tests.texts import WORDS, about

HEAD = "Forwarded by the harbor office on behalf of a friend:"


def _folder(home: Path, *, head: str = "") -> Path:
    """`train|test/<topic>/*.txt`, one in each encoding, texts without a class, and what is none."""
    texts, topics = about(120)
    for number, (text, topic) in enumerate(zip(texts, topics, strict=True)):
        place = home / ("test" if number % 4 == 3 else "train") / list(WORDS)[topic] / f"{number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(f"{head} {text}".encode(("utf-8", "utf-16", "utf-16-le", "utf-8-sig")[number % 3]))
    (home / "train/unlabeled").mkdir()
    (home / "train/unlabeled/1.txt").write_text("nobody knows what this is about")
    (home / "train/sea/readme.md").write_text("no text of these")
    (home / "train/sea/empty.txt").write_bytes(b"")
    (home / "train/sea/picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    return home


def _ingest(source: Path, home: Path) -> dict[str, float]:
    home.mkdir()
    names = {"manifest": "manifest.parquet", "samples": "samples.npy"}
    outputs = {name: home / names.get(name, f"{name}.parquet") for name in (*names, "quarantine", "oracle")}
    params = ingest.Params.model_validate({"source": str(source), "modality": {"name": "text"}})
    return ingest.run(params=params, raw=source, **outputs)


def test_a_folder_of_texts_is_read_as_one_of_pictures_is(tmp_path: Path) -> None:
    figures = _ingest(_folder(tmp_path / "mine"), tmp_path / "out")
    assert (figures["samples"], figures["test"], figures["classes"]) == (121, 30, 3)
    manifest = read_manifest(tmp_path / "out/manifest.parquet")
    assert manifest.loc[manifest["path"] == "train/sea/0.txt", "words"].tolist() == [12]
    assert len(np.load(tmp_path / "out/samples.npy")) == manifest["length"].sum()
    left_out = read_quarantine(tmp_path / "out/quarantine.parquet")
    assert dict(zip(left_out["path"], left_out["kind"], strict=True)) == {
        "train/sea/empty.txt": "unreadable",
        "train/sea/picture.txt": "unreadable",
        "train/sea/readme.md": "no_picture",
    }
    assert read_losses(tmp_path / "out/quarantine.parquet") == []
    paths = {name: tmp_path / "out" / f"{name}.parquet" for name in ("manifest", "quarantine", "oracle")}
    validate.run(
        params=validate.Params(), samples=tmp_path / "out/samples.npy", verdict=tmp_path / "out/verdict.json", **paths
    )


def test_what_very_many_texts_share_is_said_and_kept_for_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _ingest(_folder(tmp_path / "mine", head=HEAD), tmp_path / "out")
    (said,) = read_losses(tmp_path / "out/quarantine.parquet")
    assert said.startswith("120 of 121 texts begin alike, nearly all of them with the same 11 words")
    assert f"'{HEAD}'" in said
    assert said in capsys.readouterr().err
