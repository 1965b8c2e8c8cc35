"""Lineage: where a version came from, and from one label or one person to every version that learned from it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from registered_world import CLASSES, register_model, write_data, write_model, write_predictions

from components.core import journal, pipeline_run, tracking
from components.core.errors import WinnowError
from components.core.integrity import md5_of
from components.core.run_source import run_source
from components.datasets.labels import Labels, write_labels
from components.pages.lineage import Node, arcs, render
from pipelines.answering import kept, learned
from pipelines.answering.ask import answer
from pipelines.answering.lineage_page import nodes
from pipelines.answering.openlineage import events as openlineage_events
from pipelines.answering.openlineage import write_events

FACETS = {
    "type": "object",
    "additionalProperties": {"type": "object", "required": ["_producer", "_schemaURL"]},
}
DATASETS = {
    "type": "array",
    "items": {"type": "object", "required": ["namespace", "name"], "properties": {"facets": FACETS}},
}
EVENT = {  # written from https://openlineage.io/docs/spec/object-model
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
        "producer": {"type": "string", "pattern": r"^[a-z]+:\S+$"},
        "schemaURL": {"type": "string", "pattern": r"^https://openlineage\.io/spec/\d+-\d+-\d+/OpenLineage\.json#/"},
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": FACETS},
        },
        "job": {"type": "object", "required": ["namespace", "name"], "properties": {"facets": FACETS}},
        "inputs": DATASETS,
        "outputs": DATASETS,
    },
    "additionalProperties": False,
}
COLUMNS = "id,label,annotator,source,round,cost,at,note\n"
IDS = [f"{number:016x}" for number in range(40)]
ADA = f"{IDS[0]},cat,ada,person,1,4,,\n{IDS[1]},dog,ada,person,2,4,,\n"
BOB = f"{IDS[1]},cat,bob,person,2,4,,\n{IDS[2]},dog,bob,person,2,4,,\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, made_once: Path) -> Path:
    """Two versions: the first learned from ada's labels and one of the source, the second from bob's too."""
    home = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv(tracking.URI, raising=False)
        shutil.copyfile(made_once / "mlflow.db", "mlflow.db")
        write_data()
        Path("data/labels").mkdir()
        Path("data/label").mkdir()
        Path("data/labels/ledger.csv").write_text(COLUMNS)
        for seed, (rows, labeled) in enumerate(((ADA, [0, 1, 5]), (BOB, [0, 1, 2, 5]))):
            with Path("data/labels/ledger.csv").open("a") as ledger:
                ledger.write(rows)
            _label(labeled)
            write_model(seed, CLASSES)
            write_predictions(1.0, CLASSES)
            parent = pipeline_run.begin()
            patch.setenv(journal.PARENT, parent)
            register_model({"minimum_gain": -1.0})
            tracking.opened().set_tag(parent, "stage.pretrain", _first_run(parent))
            pipeline_run.keep_source(parent)
        tracking._client = None
    return home


@pytest.fixture
def two(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder of these versions is the current one."""
    monkeypatch.chdir(made)
    monkeypatch.delenv(tracking.URI, raising=False)
    monkeypatch.setattr(kept, "_cache", lambda: Path(".dvc/cache"))
    yield
    tracking._client = None


def _label(labeled: list[int]) -> None:
    """What the stage `label` leaves, in DVC's cache too."""
    sources = ["person" if number < 5 else "oracle" for number in labeled]
    shares, folds = np.full((len(labeled), 2), 0.5, np.float32), np.full(len(labeled), -1, np.int64)
    path = Path("data/label/labels.parquet")
    write_labels(path, Labels([IDS[number] for number in labeled], shares, sources, folds, CLASSES))
    _lock()
    _cached(path)


def _lock() -> None:
    def entry(path: str) -> dict[str, str]:
        return {"path": path, "md5": md5_of(Path(path))}

    stages = {
        "ingest": {"outs": [entry("data/ingest/manifest.parquet")]},
        "label": {"deps": [entry("data/labels/ledger.csv")], "outs": [entry("data/label/labels.parquet")]},
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def _cached(path: Path) -> None:
    md5 = md5_of(path)
    place = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, place)


def _first_run(parent: str) -> str:
    """The run of a stage that ran once, under the first pipeline run, and was reused after."""
    store = tracking.opened()
    found = store.search_runs([tracking.experiment()], filter_string="tags.stage = 'pretrain'")
    if found:
        return str(found[0].info.run_id)
    run = store.create_run(tracking.experiment(), tags={"stage": "pretrain", "mlflow.parentRunId": parent})
    return str(run.info.run_id)


@pytest.mark.usefixtures("two")
def test_a_version_names_its_people_its_inputs_and_the_run_of_a_stage_that_was_reused() -> None:
    first, second = (json.loads(answer(name, "", None, as_json=True)) for name in ("1", "challenger"))
    assert (first["labels"], first["annotators"]) == ({"oracle": 1, "person": 2}, {"ada": 2})
    assert (second["labels"], second["annotators"]) == ({"oracle": 1, "person": 3}, {"ada": 2, "bob": 2})
    assert second["given"] == {"data/labels/ledger.csv": md5_of(Path("data/labels/ledger.csv"))}
    runs = [next(one for one in facts["stages"] if one["stage"] == "pretrain") for facts in (first, second)]
    assert [one["how"] for one in runs] == ["ran", "reused"]
    assert runs[1]["pipeline_run"] == first["run_id"] != second["run_id"]
    assert runs[0]["run_id"] == runs[1]["run_id"]
    assert "torch" in second["environment"]["packages"]
    assert second["lost"] == []
    told = answer("2", "", None, as_json=False)
    assert "by bob" in told
    assert f"in pipeline run {first['run_id'][:8]}" in told


@pytest.mark.usefixtures("two")
def test_the_picture_shows_each_part_below_what_it_came_from() -> None:
    told = answer("2", "", None, as_json=False)
    page = Path(told.splitlines()[-1].split()[-1])
    assert page == Path("data/lineage/2.html")
    text = page.read_text()
    assert "http" not in text.replace("http-equiv", "")
    facts = json.loads(answer("2", "", None, as_json=True))
    drawn = list(nodes(facts))
    above: set[str] = set()
    for node in drawn:
        assert set(node.needs) <= above
        above.add(node.name)
        assert f"<b>{node.name}</b>" in text
    by_name = {node.name: node for node in drawn}
    assert by_name["data/labels/ledger.csv"].kind == "given"
    assert by_name["label"].needs == ("data/labels/ledger.csv",)  # by the version's lock, not by dvc.yaml of today
    assert by_name["pretrain"].kind == "reused"
    assert by_name["version 2"].needs == ("register",)
    assert "report" not in by_name  # it comes after the version
    assert drawn[-1].needs == ("version 2",)
    assert "promoted by the gate" in drawn[-1].what


def test_an_arc_that_another_way_tells_already_is_not_drawn_and_text_is_escaped() -> None:
    made = [Node("<b>", "given", "a"), Node("b", "ran", "", ("<b>",)), Node("c", "reused", "", ("<b>", "b"))]
    assert [(arc.source, arc.target) for arc in arcs(made)] == [("<b>", "b"), ("b", "c")]
    page = render("a & b", made, [("<i>", "x")])
    assert "<b>&lt;b&gt;</b>" in page
    assert "<i>" not in page


@pytest.mark.usefixtures("two")
def test_from_one_label_to_every_version_that_saw_it() -> None:
    lines = answer(IDS[1], "", None, as_json=False).splitlines()
    assert lines[0].endswith("as labeled: 'dog' by ada, round 2, 'cat' by bob, round 2")
    assert lines[1].endswith("as labeled: 'dog' by ada, round 2")
    by_path = json.loads(answer(f"{IDS[2]}.png", "", None, as_json=True))
    assert [(one["version"], one["how"]) for one in by_path] == [
        (2, "as labeled: 'dog' by bob, round 2"),
        (1, "in pretraining alone"),
    ]
    assert answer(IDS[5], "", None, as_json=False).count("as labeled: oracle") == 2
    assert answer(IDS[30], "", None, as_json=False).count("not at all: it is of the test split") == 2
    tracking.opened().set_model_version_tag("winnow", "1", "shipped", "scratch")
    assert "not at all: the network that ships was trained from scratch" in answer(IDS[2], "", None, as_json=False)


@pytest.mark.usefixtures("two")
def test_from_one_person_or_round_to_the_versions_that_learned_from_it() -> None:
    assert [one["version"] for one in json.loads(answer("", "ada", None, as_json=True))] == [2, 1]
    assert json.loads(answer("", "ada", 2, as_json=True))[0]["labels"] == 1
    assert answer("", "bob", None, as_json=False) == "version 2 (challenger, champion): 2 labels of bob"
    with pytest.raises(WinnowError, match="'bob' in round 1: they learned from ada, bob"):
        answer("", "bob", 1, as_json=False)


@pytest.mark.usefixtures("two")
def test_what_is_kept_no_more_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept, "_cache", lambda: tmp_path)
    before = learned.LEDGER.read_text()
    learned.LEDGER.write_text(COLUMNS + BOB)
    facts = json.loads(answer("1", "", None, as_json=True))
    learned.LEDGER.write_text(before)
    assert facts["lost"] == [
        f"{learned.LABELS} is kept no more",
        f"{learned.LEDGER} as it was then is no first part of what it is now",
    ]


@pytest.mark.usefixtures("two")
def test_the_events_keep_openlineages_form_and_name_what_was_read_and_written(tmp_path: Path) -> None:
    store = tracking.opened()
    pretrain = next(
        one for one in json.loads(answer("2", "", None, as_json=True))["stages"] if one["stage"] == "pretrain"
    )
    store.set_terminated(pretrain["run_id"])
    assert write_events("challenger", tmp_path / "events.jsonl").endswith("2 events of version 2")
    found = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    for event in found:
        jsonschema.validate(event, EVENT, format_checker=jsonschema.FormatChecker())
    assert [event["eventType"] for event in found] == ["START", "COMPLETE"]
    assert {event["run"]["runId"].replace("-", "") for event in found} == {pretrain["run_id"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found[0], "run": {"runId": "1"}}, EVENT, format_checker=jsonschema.FormatChecker())
    source = run_source(pretrain["pipeline_run"], "version 1")
    label = {"stage": "label", "run_id": "0" * 32, "pipeline_run": "", "began": "2026-01-01T00:00:00Z"}
    _, done = openlineage_events({"name": "x", "stages": [{**label, "ended": "2026-01-01T00:00:01Z"}]}, source)
    assert [one["name"] for one in done["inputs"]] == ["data/labels/ledger.csv"]
    assert done["outputs"][0]["facets"]["version"]["datasetVersion"] == source.lock["label"]["outs"][0]["md5"]
    with pytest.raises(WinnowError, match="name a file outside data/"):
        write_events("1", Path("data/label/labels.parquet"))
    Path("mine.yaml").write_text("a: 1\n")
    with pytest.raises(WinnowError, match="holds something else"):
        write_events("1", Path("mine.yaml"))
    assert Path("mine.yaml").read_text() == "a: 1\n"
