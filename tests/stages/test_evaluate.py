"""evaluate: figures, files and a page from a tiny run whose every number is known."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from components.core.errors import WinnowError
from components.core.files import sha256
from components.datasets import ledger as ledgers
from components.datasets.labels import Labels, write_labels
from components.datasets.oracle import write_oracle
from components.datasets.pseudo_labels import PseudoLabels, Status, write_pseudo_labels
from components.datasets.quarantine import write_quarantine
from components.modalities.image.policy import Policy
from components.modalities.views import write_views
from components.models.classifier import Classifier, ClassifierSpec, load_classifier, save_classifier
from components.models.encoder_file import build_encoder, save_encoder
from components.models.prediction_sets import PredictionSets
from components.release import gate as _gate
from components.stages import evaluate
from tests.pictures import save_pictures, spec_of, views_of, write_manifest

CLASSES = ["cat", "dog", "<b>fox</b>"]
TEST = 60
INPUTS = (
    *("manifest.parquet", "samples.npy", "oracle.parquet", "quarantine.parquet", "ledger.csv", "verdict.json"),
    *("policy.json", "preview.png", "encoder.safetensors", "history.csv", "map.png"),
    *("labels.parquet", "annotators.csv", "pseudo_labels.parquet"),
    *("model.safetensors", "control.safetensors", "guard.json"),
)
OUTPUTS = ("predictions.parquet", "report.html", "audit.json", "metrics.json", "confusion.csv", "reliability.csv")


class Project:
    """A folder with every input of the stage; rows 0..5 are labeled, 6..19 the pool, the rest the test split."""

    def __init__(self, home: Path, *, shipped: str = "pseudo_labels", oracle: bool = True) -> None:
        self.home = home
        generator = np.random.default_rng(0)
        self.truth = generator.integers(0, 3, 20 + TEST)
        pictures = generator.integers(0, 60, (20 + TEST, 1, 16, 16)).astype(np.uint8)
        for row, name in enumerate(self.truth):
            pictures[row, 0, :, 5 * name : 5 * name + 5] += np.uint8(150)
        save_pictures(home / "samples.npy", pictures)
        self.ids = [f"{row:016x}" for row in range(len(pictures))]
        facts = {"group": self.ids, "width": 16, "height": 16, "mode": "L", "bytes": 1, "sha256": ""}
        split = ["train"] * 20 + ["test"] * TEST
        paths = [f"raw/<i>{row}</i>.png" for row in range(len(pictures))]
        listing = pd.DataFrame({"id": self.ids, "path": paths, "split": split, **facts})
        write_manifest(home / "manifest.parquet", listing)
        known = np.arange(len(self.ids)) if oracle else np.arange(20)
        names = [CLASSES[self.truth[row]] for row in known]
        truth = pd.DataFrame({"id": [self.ids[row] for row in known], "class": names})
        write_oracle(home / "oracle.parquet", truth, CLASSES)
        ledgers.append(home / "ledger.csv", [])
        self._before()
        self._labels()
        self._models(pictures)
        guard = {"shipped": shipped, "why": "A sentence from the guard.", "evidence": "held_out_labels"}
        (home / "guard.json").write_text(json.dumps(guard))

    def _before(self) -> None:
        path = "raw/<script>alert(1)</script>.jpg"
        row = {"path": path, "kind": "unreadable", "reason": "It is cut short.", "twin": None}
        write_quarantine(self.home / "quarantine.parquet", pd.DataFrame([row]), leaks="refuse")
        (self.home / "verdict.json").write_text(json.dumps({"success": True}))
        for name in ("preview", "map"):
            Image.new("RGB", (8, 8)).save(self.home / f"{name}.png")
        history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.5], "effective_rank": [5.0, 9.0, 11.0]})
        history.to_csv(self.home / "history.csv", index=False)

    def _labels(self) -> None:
        distributions = np.eye(3, dtype=np.float32)[self.truth[:6]]
        folds = np.arange(6) % 2
        write_labels(self.home / "labels.parquet", Labels(self.ids[:6], distributions, ["person"] * 6, folds, CLASSES))
        (self.home / "annotators.csv").write_text("annotator,source,votes,shared,accuracy\nmira,person,6,0,\n")
        confidence = np.linspace(0.5, 0.99, 14, dtype=np.float32)
        rows = np.eye(3, dtype=np.float32)[self.truth[6:20]]
        status = np.where(confidence > 0.8, Status.ACCEPTED, Status.UNSURE).astype(np.int8)
        status[0] = Status.COPY
        pseudo = PseudoLabels(self.ids[6:20], rows, confidence, status)
        write_pseudo_labels(self.home / "pseudo_labels.parquet", {-1: pseudo})

    def _models(self, pictures: np.ndarray) -> None:
        """Two models: heads solved on the vectors of a random encoder, from many labels and from few."""
        from components.models.linear_head import fit_linear
        from components.training.inference import embed_all

        torch.manual_seed(0)
        spec = spec_of(
            name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.3], std=[0.3]
        )
        encoder = build_encoder(spec)
        save_encoder(self.home / "encoder.safetensors", encoder, spec)
        policies = {name: Policy() for name in ("weak", "view", "strong")}
        write_views(self.home / "policy.json", views_of(policies, [0.3], [0.3]))
        vectors = embed_all(encoder, spec.inputs.plain, pictures)
        settings = ClassifierSpec(encoder=spec, classes=CLASSES, temperature=1.0, method="linear_probe")
        targets = np.eye(3, dtype=np.float32)[self.truth]
        for name, few in (("model", 30), ("control", 6)):
            head, _ = fit_linear(vectors, np.arange(few), targets[:few], np.ones(few, np.float32), l2=0.01)
            save_classifier(self.home / f"{name}.safetensors", Classifier(encoder, head, settings))

    def state(self, **settings: object) -> None:
        """The model that ships has these settings."""
        path = self.home / "model.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))

    def rows(self, out: str) -> _gate.TestRows:
        """What `register` is given of a run in that folder."""
        home = self.home
        return _gate.TestRows(home / out / "predictions.parquet", home / "manifest.parquet", home / "samples.npy")

    def run(self, out: str = "out") -> dict[str, float]:
        """Run the stage into a folder of its own."""
        folder = self.home / out
        folder.mkdir()
        inputs = {Path(name).stem: self.home / name for name in INPUTS}
        outputs = {Path(name).stem: folder / name for name in OUTPUTS}
        return evaluate.run(params=evaluate.Params(seed=0, resamples=200), **inputs, **outputs)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_figures_follow_from_the_predictions(project: Project) -> None:
    figures = project.run()
    written = json.loads((project.home / "out/metrics.json").read_text())
    rows = pd.read_parquet(project.home / "out/predictions.parquet")
    assert rows["id"].tolist() == project.ids[20:]
    assert rows["actual"].tolist() == [CLASSES[number] for number in project.truth[20:]]
    control = np.stack(rows["control_distribution"].tolist()).argmax(axis=1) == project.truth[20:]
    assert written["accuracy"] == figures["accuracy"] == pytest.approx((rows["predicted"] == rows["actual"]).mean())
    assert written["control_accuracy"] == pytest.approx(control.mean())
    assert written["gain"] == pytest.approx(written["accuracy"] - written["control_accuracy"])
    assert written["accuracy_low"] <= written["accuracy"] <= written["accuracy_high"]
    assert (written["labels_used"], written["test_samples"], written["pseudo_labels_used"]) == (6, TEST, 6)
    assert written["shipped"] == "pseudo_labels"
    assert all(isinstance(value, float | int | str) for value in written.values())


def test_plots_hold_every_test_row(project: Project) -> None:
    project.run()
    pairs = pd.read_csv(project.home / "out/confusion.csv")
    assert list(pairs.columns) == ["actual", "predicted"]
    assert len(pairs) == TEST
    bins = pd.read_csv(project.home / "out/reliability.csv")
    assert bins["samples"].sum() == TEST


def test_two_runs_give_the_same_bytes(project: Project) -> None:
    project.run("one")
    project.run("two")
    for name in OUTPUTS:
        assert (project.home / "one" / name).read_bytes() == (project.home / "two" / name).read_bytes(), name


def test_the_report_is_one_page_that_loads_nothing_and_escapes_everything(project: Project) -> None:
    project.run()
    page = (project.home / "out/report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert all(re.findall(r'<img[^>]* alt="([^"]*)"', page))
    assert page.count("<img") == page.count(' alt="')
    assert len(sources) > 10
    links = [source for source in sources if not source.startswith("data:image/png;base64,")]
    assert all(link.startswith("../") for link in links)  # to pages of the same project, opened by a click alone
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;fox&lt;/b&gt;" in page
    assert "<b>fox" not in page
    assert "A sentence from the guard." in page


def test_the_report_says_what_was_run(project: Project) -> None:
    project.run()
    page = (project.home / "out/report.html").read_text()
    facts = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page))
    assert facts["encoder"] == "small_resnet, width 8, epochs of pretraining: 3"
    assert facts["adaptation to the labels"] == "linear_probe"
    assert facts["seed"] == "0"
    assert facts["pictures, by digest"] == sha256(project.home / "manifest.parquet")[:12]


def test_the_report_says_why_pictures_got_no_pseudo_label(project: Project) -> None:
    project.run()
    page = (project.home / "out/report.html").read_text()
    rows = re.findall(r"<tr><td>([^<]+)</td><td class=\"n\">(\d+)</td></tr>", page.split("Left out, and why")[1])
    assert rows == [("not sure enough", "7"), ("near-duplicates of others that count", "1")]


def test_without_pseudo_labels_the_report_says_that_labels_alone_ship(tmp_path: Path) -> None:
    project = Project(tmp_path, shipped="control")
    assert project.run()["pseudo_labels_used"] == 0
    assert "the one trained on labels alone" in (tmp_path / "out/report.html").read_text()


def test_where_the_source_knows_no_test_labels_the_ledger_does(tmp_path: Path) -> None:
    project = Project(tmp_path, oracle=False)
    votes = [("ann", 20, "dog"), ("bob", 20, "cat"), ("cy", 20, "dog"), ("ann", 21, "cat"), ("ann", 0, "cat")]
    rows = [{"id": project.ids[row], "label": name, "annotator": who, "source": "person"} for who, row, name in votes]
    ledgers.append(tmp_path / "ledger.csv", rows)
    assert project.run()["test_samples"] == 2
    assert pd.read_parquet(tmp_path / "out/predictions.parquet")["actual"].tolist() == ["dog", "cat"]


def test_a_correction_of_a_test_sample_counts_and_is_counted_in_what_evaluate_and_the_gate_use(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    before = project.run("before")
    wrong = [CLASSES[(project.truth[row] + 1) % 3] for row in range(20, 25)]
    rows = [
        {"id": project.ids[20 + n], "label": name, "annotator": "ann", "source": "person"}
        for n, name in enumerate(wrong)
    ]
    same = {"id": project.ids[25], "label": CLASSES[project.truth[25]], "annotator": "ann", "source": "person"}
    ledgers.append(project.home / "ledger.csv", [*rows, same])
    after = project.run("after")
    table = pd.read_parquet(project.home / "after/predictions.parquet")
    assert table["actual"].tolist()[:5] == wrong
    assert (before["test_labels_source"], before["test_labels_corrected"]) == (TEST, 0)
    assert (after["test_labels_source"], after["test_labels_corrected"]) == (TEST - 5, 5)
    assert "55 of the source, 0 of the ledger, 5 corrected by it" in capsys.readouterr().err
    right = float((table["predicted"] == table["actual"]).mean())
    assert after["accuracy"] == pytest.approx(right)
    control = (table["actual"] == _by_control(table)).mean()
    verdict = _gate.decide(
        _gate.Gate(), load_classifier(project.home / "model.safetensors"), None, project.rows("after"), seed=0
    )
    assert verdict.difference == pytest.approx(right - control)


def _by_control(table: pd.DataFrame) -> np.ndarray:
    return np.array(CLASSES)[np.stack(table["control_distribution"].tolist()).argmax(axis=1)]


def test_answers_for_test_pictures_that_the_source_does_not_know_join_those_it_knows(project: Project) -> None:
    few = pd.DataFrame({"id": project.ids[20:29], "class": [CLASSES[row] for row in project.truth[20:29]]})
    write_oracle(project.home / "oracle.parquet", few, CLASSES)
    others = [
        {"id": project.ids[row], "label": CLASSES[project.truth[row]], "annotator": "ann", "source": "person"}
        for row in range(29, 20 + TEST)
    ]
    ledgers.append(project.home / "ledger.csv", others)
    figures = project.run()
    counted = (figures["test_samples"], figures["test_labels_source"], figures["test_labels_ledger"])
    assert counted == (TEST, 9, TEST - 9)


def test_no_test_label_at_all_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="no test sample has a label"):
        Project(tmp_path, oracle=False).run()


def test_a_test_class_the_model_never_saw_is_named(project: Project) -> None:
    truth = pd.DataFrame({"id": project.ids[20:22], "class": ["cat", "owl"]})
    write_oracle(project.home / "oracle.parquet", truth, [*CLASSES, "owl"])
    with pytest.raises(WinnowError, match="'owl', which the model has never seen"):
        project.run()


def test_the_measured_coverage_of_the_sets_stands_beside_the_stated_one(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.8, highest=0.6, labels=40).model_dump())
    figures = project.run()
    rows = pd.read_parquet(project.home / "out/predictions.parquet")
    inside = [[CLASSES[k] for k in range(3) if 1 - p[k] <= 0.6] for p in rows["distribution"]]
    assert [names.tolist() for names in rows["set"]] == inside
    covered = [name in names for name, names in zip(rows["actual"], inside, strict=True)]
    assert figures["coverage"] == pytest.approx(np.mean(covered))
    assert figures["coverage_low"] <= figures["coverage"] <= figures["coverage_high"]
    assert figures["coverage_stated"] == 0.8
    assert figures["set_size"] == pytest.approx(np.mean([len(names) for names in inside]))
    assert figures["abstained"] == pytest.approx(np.mean([len(names) != 1 for names in inside]))
    page = (project.home / "out/report.html").read_text()
    assert "meant to hold the right one for 80 % of pictures; its threshold comes from 40 held-out labels" in page


def test_where_the_temperature_comes_from_is_told(project: Project) -> None:
    project.run("plain")
    assert "No label was held out to fit a temperature on" in (project.home / "plain/report.html").read_text()
    project.state(temperature=1.42)
    project.run("fitted")
    told = "Confidences were divided by a temperature of 1.42, fitted on held-out labels."
    assert told in (project.home / "fitted/report.html").read_text()


def test_a_coverage_that_too_few_labels_can_state_is_told(project: Project) -> None:
    project.state(sets=PredictionSets(coverage=0.95, labels=6).model_dump())
    assert project.run()["coverage"] == 1.0
    assert (
        "Too few labels could be held out (6) to rule out any class" in (project.home / "out/report.html").read_text()
    )


def test_a_model_without_sets_states_no_coverage(project: Project) -> None:
    assert "coverage" not in project.run()
    assert "Answers as sets" not in (project.home / "out/report.html").read_text()
    assert "set" not in pd.read_parquet(project.home / "out/predictions.parquet")


def test_who_gave_labels_is_told_where_there_are_several(project: Project) -> None:
    project.run("alone")
    assert "Who gave them" not in (project.home / "alone/report.html").read_text()
    lines = [
        "annotator,source,votes,shared,accuracy",
        "NA,person,2,0,",
        "<i>bob</i>,person,4,3,0.751",
        "007,rule,3,3,1",
    ]
    (project.home / "annotators.csv").write_text("\n".join(lines) + "\n")
    project.run()
    table = (project.home / "out/report.html").read_text().split("Who gave them")[1].split("</table>")[0]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert cells == [
        ["&lt;i&gt;bob&lt;/i&gt;", "person", "4", "3", "75.1 %"],
        ["007", "rule", "3", "3", "100.0 %"],
        ["NA", "person", "2", "0", "–"],
    ]


def test_labels_whose_annotators_leave_doubt_are_counted_and_nearly_certain_ones_are_not(project: Project) -> None:
    doubt = np.eye(3, dtype=np.float32)[project.truth[:6]]
    doubt[0], doubt[1] = [0.5, 0.5, 0], [0.998, 0.001, 0.001]
    labels = Labels(project.ids[:6], doubt, ["person"] * 6, np.arange(6) % 2, CLASSES)
    write_labels(project.home / "labels.parquet", labels)
    project.run()
    page = (project.home / "out/report.html").read_text()
    assert "On 1, those who gave them leave some doubt" in page
    assert page.count('class="thumb unsure"') == 1
