"""`winnow explore`: one page that holds all samples, escaped, the same twice, and what it saves can be imported."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from evaluated_world import CLASSES, Project

from components.core.errors import WinnowError
from components.pages import sheets as sheets_file
from components.pages.sheets import sheets
from components.pages.spread import spread
from pipelines.explore import PAGE, WAYS, explore
from pipelines.labeling.csv_answers import read_csv_answers

STAGES = {
    "ingest": ("manifest.parquet", "samples.npy", "samples.json"),
    "embed": ("embeddings.npy", "neighbors.npz"),
    "label": ("labels.parquet",),
    "pseudo_label": ("pseudo_labels.parquet",),
    "evaluate": ("predictions.parquet",),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small run of 20 training and 60 test pictures, class names and paths of which are HTML."""
    world = Project(tmp_path_factory.mktemp("made"))
    world.run()
    shutil.copy(world.home / "out" / "predictions.parquet", world.home)
    indices = (np.arange(20)[:, None] + np.arange(1, 4)) % 20
    np.savez(world.home / "neighbors.npz", positions=np.arange(20), indices=indices, similarities=indices / 20)
    return world


@pytest.fixture
def project(made: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("seed: 0\n")
    for folder, names in STAGES.items():
        (tmp_path / "data" / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(made.home / name, tmp_path / "data" / folder)
    return made


def _data(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def _numbers(data: dict, name: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data[name]), kind)


def test_the_page_holds_every_sample_with_what_is_known_of_it(project: Project) -> None:
    assert explore(None).startswith(f"{PAGE}: 80 samples")
    data = _data(PAGE.read_text())
    assert data["ids"] == project.ids
    assert data["classes"] == sorted(CLASSES)
    names = [*np.array([*data["classes"], ""])[_numbers(data, "label", "<i2")]]
    assert names[:6] == [CLASSES[number] for number in project.truth[:6]]  # labeled
    assert names[6:20] == [""] * 14  # what the source knows of others is no label
    assert names[20:] == [CLASSES[number] for number in project.truth[20:]]  # test samples, as evaluate has them
    status = [WAYS[number] for number in _numbers(data, "status", "u1")]
    assert status[:7] == ["labeled"] * 6 + ["pseudo-label: copy"]
    wrong = _numbers(data, "guess", "<i2")[20:] != _numbers(data, "label", "<i2")[20:]
    assert [one == "mistake" for one in status[20:]] == wrong.tolist()
    assert _numbers(data, "near", "<i4").reshape(80, 3)[[0, 20]].tolist() == [[1, 2, 3], [-1, -1, -1]]
    assert _numbers(data, "places", "<u2").shape == (160,)
    assert data["sheets"]
    assert (_numbers(data, "thumb", "<i4") >= 0).all()


def test_nothing_from_the_data_is_markup_and_no_other_script_runs(project: Project) -> None:
    explore(None)
    page = PAGE.read_text()
    assert "raw/<i>" not in page
    assert "<b>fox</b>" not in page
    assert _data(page)["paths"][0] == "raw/<i>0</i>.png"
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert not re.search(r"(src|href)=\"?https?:", page)


def test_the_same_files_give_the_same_bytes(project: Project) -> None:
    explore(Path("one.html"))
    explore(Path("two.html"))
    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()
    with pytest.raises(WinnowError, match="where stages write"):
        explore(Path("data/report/report.html"))


def test_before_there_is_a_model_the_page_shows_the_samples_alone(project: Project) -> None:
    for folder in ("label", "pseudo_label", "evaluate"):
        shutil.rmtree(Path("data") / folder)
    Path("data/embed/neighbors.npz").unlink()
    explore(None)
    data = _data(PAGE.read_text())
    assert data["classes"] == []
    assert data["k"] == 0
    assert not _numbers(data, "status", "u1").any()


def test_vectors_of_other_samples_are_refused(project: Project) -> None:
    np.save("data/embed/embeddings.npy", np.zeros((7, 4), np.float32))
    with pytest.raises(WinnowError, match="run `dvc repro embed`"):
        explore(None)
    assert not PAGE.exists()


def test_the_sheet_that_the_page_saves_is_one_that_can_be_imported(project: Project) -> None:
    explore(None)
    head = re.search(r'\["(id,label[a-z,]*)\\n"', PAGE.read_text())
    assert head
    sheet = f"{head.group(1)}\n{project.ids[0]},cat,mira,p.png\n{project.ids[1]},,,p.png\n"
    answers = read_csv_answers(Path("questions.csv"), sheet.encode(), "")
    assert [one.row["label"] for one in answers.given] == ["cat"]
    assert answers.unanswered == 1


def test_samples_that_are_not_on_the_map_lie_beside_those_that_they_are_like() -> None:
    generator = np.random.default_rng(0)
    group = np.arange(300) % 3
    vectors = (10 * np.eye(3, 8)[group] + generator.normal(size=(300, 8))).astype(np.float32)
    chosen = np.arange(0, 300, 2)
    places = spread(vectors, chosen, seed=0)
    centers = np.stack([places[chosen][group[chosen] == one].mean(0) for one in range(3)])
    others = np.setdiff1d(np.arange(300), chosen)
    found = np.linalg.norm(places[others][:, None] - centers, axis=2).argmin(1)
    assert (found == group[others]).all()


def test_pictures_stop_where_their_bytes_would_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2100, 8, 8, 3), dtype=np.uint8)
    every = sheets(lambda row: noise[row], np.arange(2100)[::-1])
    assert (every.place[::-1] == np.arange(2100)).all()
    monkeypatch.setattr(sheets_file, "MOST", len(every.uris[0]))  # one sheet and a part of the next
    few = sheets(lambda row: noise[row], np.arange(2100)[::-1])
    assert few.uris == every.uris[:1]
    assert (few.place >= 0).sum() == 1024
    assert sheets(lambda row: None, np.arange(3)).uris == []
