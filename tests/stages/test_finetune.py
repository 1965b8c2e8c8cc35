"""finetune on handwritten digits and a small untrained encoder: what is trained on what, and what ships."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from components.core.config import validated
from components.core.errors import WinnowError
from components.datasets.labels import Labels, write_labels
from components.datasets.pseudo_labels import PseudoLabels, Status, read_pseudo_labels, write_pseudo_labels
from components.datasets.synthetic import identity_of, write_synthetic
from components.judging.calibration import apply_temperature
from components.modalities.image.png import png
from components.modalities.image.policy import Policy
from components.modalities.views import write_views
from components.models.additions import Additions
from components.models.classifier import load_classifier
from components.models.encoder_file import build_encoder, save_encoder
from components.stages import finetune
from components.training.inference import embed_all, predict
from components.training.label_task import LabelTask
from tests.pictures import save_pictures, spec_of, views_of, write_manifest

TRAIN, LABELED, CLASSES = 150, 20, 4
LEARNED = ("embeddings.npy", "labels.parquet", "synthetic_labels.parquet", "pseudo_labels.parquet")


class Project:
    """A folder with every input of the stage; labels are the first rows, pseudo-labels are for the other ones."""

    def __init__(self, home: Path, *, folds: int = 2, wrong: bool = False) -> None:
        from sklearn.datasets import load_digits

        digits = load_digits(n_class=CLASSES)
        self.home, self.truth = home, digits.target[:200].astype(np.int64)
        pictures = (digits.images[:200, None] * 15).astype(np.uint8).repeat(2, 2).repeat(2, 3)  # (200, 1, 16, 16)
        save_pictures(home / "samples.npy", pictures)
        self.pictures, self.ids = pictures, [f"{row:016x}" for row in range(200)]
        split = ["train"] * TRAIN + ["test"] * 50
        facts = {"path": self.ids, "group": self.ids, "width": 16, "height": 16, "mode": "L", "bytes": 1, "sha256": ""}
        write_manifest(home / "manifest.parquet", pd.DataFrame({"id": self.ids, "split": split, **facts}))
        identity = {name: Policy() for name in ("weak", "view", "strong")}
        write_views(home / "policy.json", views_of(identity, [0.3], [0.3]))
        self._encoder()
        self._labels(np.arange(LABELED) % folds if folds else np.full(LABELED, -1), wrong=wrong)

    def _encoder(self) -> None:
        torch.manual_seed(0)
        spec = spec_of(
            name="small_resnet", options={"width": 8}, channels=1, image_size=16, dim=32, mean=[0.3], std=[0.3]
        )
        encoder = build_encoder(spec)
        save_encoder(self.home / "encoder.safetensors", encoder, spec)
        np.save(self.home / "embeddings.npy", embed_all(encoder, spec.inputs.plain, self.pictures))

    def _labels(self, folds: np.ndarray, *, wrong: bool) -> None:
        one_hot = np.eye(CLASSES, dtype=np.float32)
        classes = [f"class {number}" for number in range(CLASSES)]
        known, sources = one_hot[self.truth[:LABELED]], ["oracle"] * LABELED
        labels = Labels(self.ids[:LABELED], known, sources, folds.astype(np.int64), classes)
        write_labels(self.home / "labels.parquet", labels)
        self.make([])
        rows = np.arange(LABELED, TRAIN)
        said = (self.truth[rows] + 1) % CLASSES if wrong else self.truth[rows]
        guessed = PseudoLabels(
            [self.ids[row] for row in rows],
            0.9 * one_hot[said] + 0.025,
            np.full(len(rows), 0.925, np.float32),
            np.full(len(rows), Status.ACCEPTED, np.int8),
        )
        every = dict.fromkeys({-1, *folds.tolist()}, guessed)
        write_pseudo_labels(self.home / "pseudo_labels.parquet", every)

    def make(self, rows: list[int], *, said: int = 0) -> None:
        """Labels of made pictures, which look just like the rows' and are all said to be of one class."""
        contents = [png(self.pictures[row]) for row in rows]
        targets = np.eye(CLASSES, dtype=np.float32)[[said] * len(rows)].reshape(-1, CLASSES)
        ids = [identity_of(content) for content in contents]
        write_synthetic(self.home / "synthetic_labels.parquet", ids, targets, contents)

    def reject_all(self) -> None:
        """No pseudo-label is accepted."""
        path = self.home / "pseudo_labels.parquet"
        guessed = [(fold, read_pseudo_labels(path, fold)) for fold in (-1, 0, 1)]
        none = {fold: replace(old, status=np.full(len(old.ids), Status.UNSURE, np.int8)) for fold, old in guessed}
        write_pseudo_labels(path, none)

    def run(self, out: str = "out", **params: object) -> dict[str, float]:
        """Run the stage into a folder of its own."""
        inputs = ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors", "embeddings.npy")
        outputs = (
            *("model.safetensors", "control.safetensors", "candidate.safetensors"),
            *("guard.json", "second_control.json", "history.csv"),
        )
        folder = self.home / out
        folder.mkdir()
        paths = {Path(name).stem: self.home / name for name in (*inputs, *LEARNED[1:])}
        settings = {"seed": 1, "epochs": 2, "batch_size": 64, "method": {"name": "linear_probe"}, **params}
        settings = {"second_control": "off", **settings}
        results = {Path(name).stem: folder / name for name in outputs}
        return finetune.run(params=validated(finetune.Params, settings, where="finetune"), **paths, **results)

    def guard(self, out: str = "out") -> dict[str, object]:
        """What guard.json says."""
        verdict: dict[str, object] = json.loads((self.home / out / "guard.json").read_text())
        return verdict

    def accuracy(self, name: str, out: str = "out") -> float:
        """Of a saved model on the test split."""
        probabilities = predict(load_classifier(self.home / out / name), self.pictures, np.arange(TRAIN, 200))
        return float((probabilities.argmax(axis=1) == self.truth[TRAIN:]).mean())


def test_good_pseudo_labels_ship_and_beat_the_control(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.run()["shipped_pseudo_labels"] == 1
    assert project.guard()["held_out"] == LABELED
    assert project.accuracy("model.safetensors") > project.accuracy("control.safetensors")
    files = [(tmp_path / "out" / f"{name}.safetensors").read_bytes() for name in ("model", "candidate")]
    assert files[0] == files[1]


def test_wrong_pseudo_labels_are_caught_and_the_control_ships(tmp_path: Path) -> None:
    project = Project(tmp_path, wrong=True)
    assert project.run()["shipped_pseudo_labels"] == 0
    out = tmp_path / "out"
    assert (out / "model.safetensors").read_bytes() == (out / "control.safetensors").read_bytes()
    assert project.accuracy("candidate.safetensors") < project.accuracy("control.safetensors")  # kept to be measured
    assert str(project.guard()["why"]).startswith("The label-only control ships: ")


def test_without_folds_the_guard_says_that_its_evidence_is_weaker(tmp_path: Path) -> None:
    project = Project(tmp_path, folds=0)
    project.run()
    assert project.guard()["evidence"] == "neighbors"
    assert "no label could be held out" in str(project.guard()["why"])
    assert load_classifier(tmp_path / "out" / "control.safetensors").spec.temperature == 1.0


def test_no_accepted_pseudo_label_means_one_training_and_the_control(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.reject_all()
    project.run()
    assert project.guard()["evidence"] == "none"
    assert set(pd.read_csv(tmp_path / "out" / "history.csv")["model"]) == {"control"}


def test_full_fine_tuning_is_repeatable_to_the_byte_and_tells_its_history(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for out in ("one", "two"):
        project.run(out, method={"name": "full"})
    for name in ("model.safetensors", "model.json", "control.safetensors", "guard.json", "history.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    history = pd.read_csv(tmp_path / "one" / "history.csv")
    assert history["epoch"].tolist() == [0, 1, 2, 0, 1, 2]
    assert history["model"].tolist() == ["candidate"] * 3 + ["control"] * 3
    encoder = load_classifier(tmp_path / "one" / "model.safetensors").encoder
    assert not torch.equal(next(encoder.parameters()), next(_untrained(tmp_path).parameters()))


@pytest.mark.parametrize(
    ("name", "additions"),
    [
        ("supcon", Additions()),
        ("lora", Additions()),
        ("adapters", Additions(adapters=64)),
        ("prompts", Additions(border=2)),
    ],
)
def test_what_a_method_added_to_the_encoder_stands_in_the_file_and_the_bytes_repeat(
    tmp_path: Path, name: str, additions: Additions
) -> None:
    project = Project(tmp_path)
    for out in ("one", "two"):
        project.run(out, method={"name": name}, epochs=1, guard_epochs=1)
    for file in ("model.safetensors", "model.json", "control.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    spec = load_classifier(tmp_path / "one" / "model.safetensors").spec
    assert spec.encoder.additions == additions
    assert spec.temperature != 1.0


def test_the_guard_can_compare_fine_tuned_models(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.run("heads", method={"name": "full"})
    project.run("tuned", method={"name": "full"}, guard_epochs=1)
    assert project.guard("heads")["candidate_right"] != project.guard("tuned")["candidate_right"]


def test_where_everything_is_labeled_the_temperature_of_the_heads_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LabelTask, "pool_rows", lambda task: np.empty(0, np.int64))
    Project(tmp_path).run(method={"name": "full"}, guard_epochs=0)
    assert load_classifier(tmp_path / "out/model.safetensors").spec.temperature > 0


def test_labels_fill_their_share_of_an_epoch(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.run()
    paths = [tmp_path / name for name in ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors")]
    paths += [tmp_path / name for name in LEARNED]
    params = finetune.Params.model_validate({"method": {"name": "full"}, "labeled_share": 0.5, "batch_size": 2})
    candidate, control = finetune._read(params, *paths).examples(-1)
    assert candidate.repeats[:LABELED].sum() >= candidate.repeats[LABELED:].sum() == TRAIN - LABELED
    assert (control.repeats == candidate.repeats[:LABELED]).all()
    assert candidate.weights[:LABELED].min() > candidate.weights[LABELED:].max()


def test_held_out_labels_are_in_neither_training(tmp_path: Path) -> None:
    project = Project(tmp_path)
    paths = [tmp_path / name for name in ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors")]
    paths += [tmp_path / name for name in LEARNED]
    task = finetune._read(finetune.Params.model_validate({"method": {"name": "full"}}), *paths)
    assert project.ids[0] == task.labels.ids[0]
    for examples in task.examples(0):
        assert not set(examples.positions.tolist()) & set(range(0, LABELED, 2))
        assert set(range(1, LABELED, 2)) <= set(examples.positions.tolist())


def test_sets_come_from_what_models_without_a_label_say_of_it(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.run()
    paths = [tmp_path / name for name in ("manifest.parquet", "samples.npy", "policy.json", "encoder.safetensors")]
    paths += [tmp_path / name for name in LEARNED]
    params = {"seed": 1, "method": {"name": "linear_probe"}, "epochs": 2, "batch_size": 64}
    task = finetune._read(finetune.Params.model_validate(params), *paths)
    for name, raw in zip(("model", "control"), finetune._held_out(task, np.arange(LABELED)), strict=True):
        spec = load_classifier(tmp_path / "out" / f"{name}.safetensors").spec
        said = apply_temperature(raw, spec.temperature)[np.arange(LABELED), project.truth[:LABELED]]
        assert spec.sets is not None
        assert spec.sets.labels == LABELED
        assert spec.sets.highest == pytest.approx(1 - np.sort(said)[1], abs=1e-6)  # the 19th smallest of 20 scores


def test_both_models_learn_from_made_pictures_beside_the_labels(tmp_path: Path) -> None:
    project = Project(tmp_path)
    shown = [row for row in range(LABELED, TRAIN) if project.truth[row] == 3][:10]
    project.run("before")
    project.make(shown, said=0)  # a lie, so that what was learned can only come from there
    project.run("after")
    for name, least in (("control.safetensors", 0.9), ("model.safetensors", 0.3)):  # pseudo-labels tell it the truth
        said = [
            predict(load_classifier(tmp_path / out / name), project.pictures, np.array(shown)).argmax(1)
            for out in ("before", "after")
        ]
        assert (said[0] == 0).mean() < 0.3, name
        assert (said[1] == 0).mean() > least, name


def test_a_made_picture_that_is_cut_is_named_with_what_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path)
    content = png(project.pictures[0])[:60]
    targets = np.eye(1, CLASSES, dtype=np.float32)
    write_synthetic(tmp_path / "synthetic_labels.parquet", [identity_of(content)], targets, [content])
    with pytest.raises(WinnowError, match=r"made sample synthetic-.*Withdraw its label"):
        project.run()


def test_no_sets_are_made_where_none_are_asked_for_and_none_rule_anything_out_without_folds(tmp_path: Path) -> None:
    project = Project(tmp_path, folds=0)
    project.run("none", sets=None)
    assert load_classifier(tmp_path / "none" / "model.safetensors").spec.sets is None
    project.run()
    sets = load_classifier(tmp_path / "out" / "model.safetensors").spec.sets
    assert sets is not None
    assert (sets.highest, sets.labels) == (None, 0)


def test_an_unknown_option_of_the_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match=r"unknown setting finetune\.method\.l3"):
        Project(tmp_path).run(method={"name": "linear_probe", "l3": 1})


def _untrained(home: Path) -> torch.nn.Module:
    from components.models.encoder_file import load_encoder

    return load_encoder(home / "encoder.safetensors")[0]


def test_a_model_that_ships_says_how_much_dropout_it_learned_under(tmp_path: Path) -> None:
    Project(tmp_path).run(method={"name": "full", "dropout": 0.25}, epochs=1)
    assert load_classifier(tmp_path / "out" / "model.safetensors").spec.dropout == 0.25
