"""A tiny run whose every number is known: what `evaluate`, `audit` and `report` read, and these stages run on it."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch
from PIL import Image

from components.datasets import ledger as ledgers
from components.datasets.labels import Labels, write_labels
from components.datasets.named_arrays import write_arrays
from components.datasets.oracle import write_oracle
from components.datasets.pseudo_labels import PseudoLabels, Status, write_pseudo_labels
from components.datasets.quarantine import write_quarantine
from components.datasets.rule_labels import FIGURES, write_rule_figures
from components.modalities.image.policy import Policy
from components.modalities.views import write_views
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import build_encoder, save_encoder
from components.release import gate as _gate
from components.stages import audit, evaluate, report
from tests.pictures import save_pictures, spec_of, views_of, write_manifest

CLASSES = ["cat", "dog", "<b>fox</b>"]
TEST = 60
INPUTS = {
    evaluate: (
        *("manifest.parquet", "samples.npy", "oracle.parquet", "ledger.csv", "embeddings.npy"),
        *("labels.parquet", "pseudo_labels.parquet", "model.safetensors", "control.safetensors", "guard.json"),
        "candidate.safetensors",
    ),
    audit: ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors", "labels.parquet"),
    report: (
        *("manifest.parquet", "samples.npy", "quarantine.parquet", "verdict.json", "preview.png", "history.csv"),
        *("shown.npz", "map.png", "labels.parquet", "annotators.csv", "pseudo_labels.parquet"),
        *("model.safetensors", "guard.json", "second_control.json", "version.json", "rule_figures.csv"),
    ),
}
OUTPUTS = {
    evaluate: ("predictions.parquet", "metrics.json", "confusion.csv", "reliability.csv"),
    audit: ("audit.json", "changed.npz"),
    report: ("report.html", "learned.png"),
}
SETTINGS = {
    "pretrain": {"encoder": {"name": "small_resnet", "width": 8}, "method": {"name": "simclr"}},
    "label": {"first": {"name": "k_medoids"}, "aggregation": {"name": "majority_vote"}},
    "pseudo_label": {"method": {"name": "label_propagation"}},
    "finetune": {"method": {"name": "linear_probe"}},
    "select": {"strategy": {"name": "margin"}},
}
VERSION = {
    "name": "winnow",
    "version": 3,
    "aliases": ["challenger", "champion"],
    "model_sha256": "0" * 64,
    "gate": {"passed": True, "why": "surely better than champion version 2 by more than 0.", "against": "version 2"},
    "registered": "2026-01-02T03:04:05+00:00",
    "experiment": "pictures",
    "run_id": "a" * 32,
    "git_commit": "c0ffee" + "0" * 34,
    "git_dirty": False,
}


class Project:
    """A folder with every input of the stages; rows 0..5 are labeled, 6..19 the pool, the rest the test split."""

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
        self.hold_against("")

    def _before(self) -> None:
        path = "raw/<script>alert(1)</script>.jpg"
        row = {"path": path, "kind": "unreadable", "reason": "It is cut short.", "twin": None}
        write_quarantine(self.home / "quarantine.parquet", pd.DataFrame([row]), leaks="refuse")
        (self.home / "verdict.json").write_text(json.dumps({"success": True}))
        for name in ("preview", "map"):
            Image.new("RGB", (8, 8)).save(self.home / f"{name}.png")
        history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.5], "effective_rank": [5.0, 9.0, 11.0]})
        history.to_csv(self.home / "history.csv", index=False)
        write_arrays(self.home / "shown.npz", {"what it made of them": np.full((2, 1, 16, 16), 9, np.uint8)})
        self.register()

    def _labels(self) -> None:
        distributions = np.eye(3, dtype=np.float32)[self.truth[:6]]
        folds = np.arange(6) % 2
        write_labels(self.home / "labels.parquet", Labels(self.ids[:6], distributions, ["person"] * 6, folds, CLASSES))
        (self.home / "annotators.csv").write_text(
            "annotator,source,votes,shared,accuracy,kappa,again,same\nmira,person,6,0,,,0,\n"
        )
        self.rule()
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
        np.save(self.home / "embeddings.npy", vectors)
        settings = ClassifierSpec(encoder=spec, classes=CLASSES, temperature=1.0, method="linear_probe")
        targets = np.eye(3, dtype=np.float32)[self.truth]
        for name, few in (("model", 30), ("candidate", 30), ("control", 6)):
            head, _ = fit_linear(vectors, np.arange(few), targets[:few], np.ones(few, np.float32), l2=0.01)
            save_classifier(self.home / f"{name}.safetensors", Classifier(encoder, head, settings))

    def hold_against(self, why: str) -> None:
        """What `finetune` said of the second control."""
        (self.home / "second_control.json").write_text(json.dumps({"why": why}))

    def rule(self, *rows: tuple[object, ...]) -> None:
        """What `label` said of rules, a row each."""
        write_rule_figures(self.home / "rule_figures.csv", pd.DataFrame(rows, columns=list(FIGURES)))

    def register(self, **facts: object) -> None:
        """What `register` left, with these facts in it."""
        (self.home / "version.json").write_text(json.dumps({**VERSION, **facts}))

    def state(self, **settings: object) -> None:
        """The model that ships has these settings."""
        path = self.home / "model.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))

    def rows(self, out: str) -> _gate.TestRows:
        """What `register` is given of a run in that folder."""
        home = self.home
        return _gate.TestRows(home / out / "predictions.parquet", home / "manifest.parquet", home / "samples.npy")

    def run(self, out: str = "out") -> dict[str, float]:
        """Run `evaluate` into a folder of its own."""
        return evaluate.run(params=evaluate.Params(seed=0, resamples=200), **self._paths(evaluate, out))

    def audit(self, out: str = "out", audited: int = 120) -> dict[str, float]:
        """Run `audit`."""
        return audit.run(params=audit.Params(seed=0, audited=audited), **self._paths(audit, out))

    def report(self, out: str = "out") -> str:
        """Run `report`, and before it both where they have not run into that folder; the page."""
        if not (self.home / out).exists():
            self.run(out)
            self.audit(out)
        made = [*self._outputs(evaluate, out)[:2], *self._outputs(audit, out)]
        report.run(
            params=report.Params(seed=0),
            settings=SETTINGS,
            **{path.stem: path for path in made},
            **self._paths(report, out),
        )
        return (self.home / out / "report.html").read_text()

    def _paths(self, stage: ModuleType, out: str) -> dict[str, Path]:
        (self.home / out).mkdir(exist_ok=True)
        paths = [*(self.home / name for name in INPUTS[stage]), *self._outputs(stage, out)]
        return {path.stem: path for path in paths}

    def _outputs(self, stage: ModuleType, out: str) -> list[Path]:
        return [self.home / out / name for name in OUTPUTS[stage]]
