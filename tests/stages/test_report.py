"""report: what the page says of a tiny run whose every number is known."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evaluated_world import CLASSES, OUTPUTS, Project

from components.core import journal
from components.core.files import sha256
from components.datasets.labels import Labels, write_labels
from components.datasets.quarantine import write_quarantine
from components.models.prediction_sets import PredictionSets
from components.stages import report


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One whose report is made; its page is `out/report.html`."""
    made = Project(tmp_path_factory.mktemp("report"))
    made.report()
    return made


@pytest.fixture
def page(usual: Project) -> str:
    return (usual.home / "out/report.html").read_text()


def test_it_is_one_page_that_loads_nothing_and_escapes_everything(page: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert all(re.findall(r'<img[^>]* alt="([^"]*)"', page))
    assert page.count("<img") == page.count(' alt="')
    assert len(sources) > 10
    links = [source for source in sources if not source.startswith("data:image/png;base64,")]
    assert all(link.startswith("../") for link in links if link != "learned.png")  # pages of the same project
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;fox&lt;/b&gt;" in page
    assert "<b>fox" not in page
    assert "A sentence from the guard." in page


def test_two_runs_give_the_same_bytes(usual: Project) -> None:
    usual.report("again")
    for name in OUTPUTS[report]:
        assert (usual.home / "out" / name).read_bytes() == (usual.home / "again" / name).read_bytes(), name


def test_it_says_first_which_version_this_is_of_which_code_and_what_the_gate_said(page: str) -> None:
    said = _who(page)
    assert said["Model"] == "winnow version 3 (challenger, champion), registered 2026-01-02 03:04 UTC"
    assert said["Code"] == "commit c0ffee000000, unchanged"
    assert said["Gate"] == "passed: surely better than champion version 2 by more than 0."
    assert said["Guard"] == "A sentence from the guard."
    assert page.index("<dl") < page.index("<section")


@pytest.mark.parametrize(
    ("facts", "name", "said"),
    [
        ({"aliases": []}, "Model", "winnow version 3, registered 2026-01-02 03:04 UTC"),
        ({"git_dirty": True}, "Code", "commit c0ffee000000, with files changed since"),
        ({"git_commit": ""}, "Code", "in no git repository"),
        ({"gate": {"passed": False, "why": "<i>no</i>."}}, "Gate", "not passed: &lt;i&gt;no&lt;/i&gt;."),
    ],
)
def test_what_the_registry_says_otherwise_the_page_does_too(
    usual: Project, facts: dict[str, object], name: str, said: str
) -> None:
    usual.register(**facts)
    assert _who(usual.report("other"))[name] == said
    usual.register()


def _who(page: str) -> dict[str, str]:
    rows = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    return {name: re.sub(r"<[^>]+>", "", text) for name, text in rows}


def test_it_names_every_method_and_what_it_was_made_of(usual: Project, page: str) -> None:
    assert dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page)) == {
        "encoder": "small_resnet, width 8",
        "pretraining": "simclr, 3 epochs",
        "first labels asked for": "k_medoids",
        "labels of several people": "majority_vote",
        "pseudo-labels": "label_propagation",
        "adaptation to the labels": "linear_probe",
        "prediction sets": "none",
        "next questions": "margin",
        "seed": "0",
        "data, by digest": sha256(usual.home / "manifest.parquet")[:12],
        "labels, by digest": sha256(usual.home / "labels.parquet")[:12],
    }
    assert f"experiment <b>pictures</b>, run <code>{'a' * 32}</code>" in page


def test_what_the_model_has_to_beat_stands_beside_it_and_a_sentence_where_it_does_not(project: Project) -> None:
    page = project.report("fine")
    table = page.split("What it has to beat")[1].split("</table>")[0]
    named = re.findall(r'data-name="baseline">(.*?)</td><td class="n" data-name="accuracy">(.*?)</td>', table)
    figures = json.loads((project.home / "fine/metrics.json").read_text())["baselines"]
    assert named[0] == ("chance, 3 classes", "33.3 %")
    assert (
        "logistic regression on small pixels",
        f"{100 * figures['rows']['logistic regression on small pixels']['accuracy']:.1f} %",
    ) in named
    path = project.home / "fine/metrics.json"
    why = "This model is not better than <i>x</i> beyond chance."
    path.write_text(json.dumps({**json.loads(path.read_text()), "baselines": {**figures, "why": why}}))
    assert "not better than &lt;i&gt;x&lt;/i&gt; beyond chance" in project.report("fine")


def test_weights_taken_as_they_are_are_no_method(project: Project) -> None:
    pd.DataFrame({"epoch": [0], "effective_rank": [5.0]}).to_csv(project.home / "history.csv", index=False)
    assert "<td>weights given to it, taken as they are</td>" in project.report()


def test_the_page_is_to_join_the_pipeline_run(usual: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(journal.PARENT, raising=False)
    with journal.recording("report", key="k", params={}) as record:
        usual.report()
    assert record.facts["joins"] == "report.html"


def test_every_change_that_was_audited_is_shown(usual: Project, page: str) -> None:
    found = json.loads((usual.home / "out/audit.json").read_text())
    rows = page.split("Which changes a label survives")[1].split("</table>")[0]
    for level in found["levels"]:
        assert f'alt="A few pictures after this change: {level["change"]}"' in rows
    assert rows.count("<img") == len(found["levels"])
    verdicts = re.findall(r'data-name="verdict">(\w+)</td>', rows)
    assert verdicts == [level["verdict"] for level in found["levels"]]


def test_a_policy_that_costs_its_labels_is_named(usual: Project) -> None:
    usual.run("bad")
    usual.audit("bad")
    path = usual.home / "bad/audit.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "forbidden": ["flip"], "conflicts": [["strong", "flip"]]}))
    page = usual.report("bad")
    assert "augment.policies.strong uses flip, which costs this task its labels" in page
    assert "Not for this task: <b>flip</b>" in page


def test_without_an_audit_nothing_is_said_of_one(usual: Project) -> None:
    usual.run("bare")
    usual.audit("bare", audited=0)
    assert "Which changes a label survives" not in usual.report("bare")


def test_what_was_lost_of_the_data_is_said_only_where_something_was(project: Project) -> None:
    assert "What to know of the pictures" not in project.report()
    rows = pd.DataFrame(columns=["path", "kind"])
    losses = ["3 of 80 pictures are in color and become gray: ingest.channels: 3, where color matters.", "<b>more</b>"]
    write_quarantine(project.home / "quarantine.parquet", rows, leaks="refuse", losses=losses)
    listed = re.findall(r"<li>(.*?)</li>", project.report().split("What to know of the pictures")[1])
    assert listed == [losses[0], "&lt;b&gt;more&lt;/b&gt;"]


def test_it_says_why_samples_got_no_pseudo_label(page: str) -> None:
    rows = re.findall(r"<tr><td>([^<]+)</td><td class=\"n\">(\d+)</td></tr>", page.split("Left out, and why")[1])
    assert rows == [("not sure enough", "7"), ("near-duplicates of others that count", "1")]


def test_without_pseudo_labels_it_says_that_labels_alone_ship(tmp_path: Path) -> None:
    page = Project(tmp_path, shipped="control").report()
    assert "the one trained on labels alone" in page


def test_what_a_model_that_was_held_back_comes_to_is_told(tmp_path: Path) -> None:
    page = " ".join(Project(tmp_path, shipped="control").report().split())
    assert "The one with pseudo-labels, which the guard held back, comes to" in page
    assert "known now from test labels, which decide nothing here." in page


def test_what_the_second_control_came_to_is_told_where_there_was_one(project: Project) -> None:
    assert "Second control" not in project.report("none")
    project.hold_against("The same network <i>from scratch</i> ships.")
    assert _who(project.report("one"))["Second control"] == "The same network &lt;i&gt;from scratch&lt;/i&gt; ships."


def test_a_second_control_that_ships_is_drawn_beside_the_first(tmp_path: Path) -> None:
    page = Project(tmp_path, shipped="scratch").report()
    assert "the same network trained from scratch" in page
    assert "the one trained on labels alone. The bar" not in page


def test_the_stated_coverage_and_its_labels_are_told(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.8, highest=0.6, labels=40).model_dump())
    told = "meant to hold the right one for 80 % of pictures; its threshold comes from 40 held-out labels"
    assert told in project.report()


def test_classes_that_are_in_every_set_are_told(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.8, highest=0.6, labels=40, always=[0, 2]).model_dump())
    page = project.report()
    assert "rule out cat, &lt;b&gt;fox&lt;/b&gt;, which no held-out label is of: they are in every set." in page


def test_a_coverage_that_too_few_labels_can_state_is_told(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.95, labels=6).model_dump())
    assert "Too few labels could be held out (6) to rule out any class" in project.report()


def test_a_model_without_sets_states_no_coverage(page: str) -> None:
    assert "Answers as sets" not in page


def test_where_the_temperature_comes_from_is_told(project: Project) -> None:
    assert "No label was held out to fit a temperature on" in project.report("plain")
    project.state(temperature=1.42)
    told = "Confidences were divided by a temperature of 1.42, fitted on held-out labels."
    assert told in project.report("fitted")


def test_who_gave_labels_is_told_where_there_are_several(project: Project) -> None:
    assert "Who gave them" not in project.report()
    lines = [
        "annotator,source,votes,shared,accuracy,kappa,again,same",
        "NA,person,2,0,,,0,",
        "<i>bob</i>,person,4,3,0.751,0.5,4,0.75",
        "007,rule,3,3,1,-0.25,0,",
    ]
    (project.home / "annotators.csv").write_text("\n".join(lines) + "\n")
    table = project.report().split("Who gave them")[1].split("</table>")[0]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert cells == [
        ["&lt;i&gt;bob&lt;/i&gt;", "person", "4", "3", "75.1 %", "0.50", "75.0 % of 4"],
        ["007", "rule", "3", "3", "100.0 %", "-0.25", "–"],
        ["NA", "person", "2", "0", "–", "–", "–"],
    ]


def test_labels_whose_annotators_leave_doubt_are_counted_and_nearly_certain_ones_are_not(project: Project) -> None:
    doubt = np.eye(3, dtype=np.float32)[project.truth[:6]]
    doubt[0], doubt[1] = [0.5, 0.5, 0], [0.998, 0.001, 0.001]
    labels = Labels(project.ids[:6], doubt, ["person"] * 6, np.arange(6) % 2, CLASSES)
    write_labels(project.home / "labels.parquet", labels)
    page = project.report()
    assert "On 1, those who gave them leave some doubt" in page
    assert page.count('class="unsure"') == 1


def test_rules_are_listed_with_what_they_match_and_those_that_are_of_no_use_are_named(project: Project) -> None:
    assert "The rules" not in project.report("none")
    project.rule(
        ("<i>boat</i>", "keyword", "<i>boat</i>", "cat", 2, 1234, 5, 4, 9, 8),
        ("water", "regex", "^(wave|tide)", "dog", 3, 7, 0, 0, 4, 1),
        ("zebra", "keyword", "zebra", "dog", 4, 0, 0, 0, 0, 0),
    )
    said = project.report("some").split("<h2>The rules</h2>")[1].split("</section>")[0]
    assert "3 rules of" in said
    assert "Without any match: zebra." in said
    assert "More often wrong than right on labels: water." in said
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in said.split("<tr>")[2:]]
    assert rows[0][0] == "<span><code>&lt;i&gt;boat&lt;/i&gt;</code></span>"
    assert rows[0][2:] == ["1\u202f234", "5", "4", "8 of 9"]
    assert "regex <code>^(wave|tide)</code>" in rows[1][0]
    assert rows[2][2:] == ["0", "0", "0", "–"]


def test_labels_of_pictures_that_were_made_are_counted(project: Project) -> None:
    kinds = np.eye(3, dtype=np.float32)[project.truth[:6]]
    labels = Labels(project.ids[:6], kinds, ["person"] * 6, np.arange(6) % 2, CLASSES, synthetic=1)
    write_labels(project.home / "labels.parquet", labels)
    assert "7 labels: 6 by a person, 1 of pictures that were made, not found." in project.report()


def test_the_drawing_shows_what_the_method_showed(usual: Project) -> None:
    from PIL import Image

    pixels = np.asarray(Image.open(usual.home / "out/learned.png").convert("L"))
    assert (pixels == 9).sum() >= 2 * 96 * 96
