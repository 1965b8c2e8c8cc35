"""What `benchmarks.hostile` tries: a small project, and for each kind its hostile inputs, one after the other."""

import io
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import save

from benchmarks._hostile_archives import MAKERS, changed, write_hostile
from benchmarks._hostile_ledgers import REFUSED, TAKEN, by_chance, sound
from benchmarks._hostile_registry import bytes_by_chance, spare
from benchmarks._hostile_settings import mutated
from benchmarks._hostile_versions import FILES, SOURCES, TAGS, endless
from benchmarks._hostile_weights import NO_WEIGHTS, TORCH_ONLY, UNSOUND
from benchmarks._pictures import spec_of
from components.core import journal, model_versions, stage
from components.core.decisions import Decided
from components.core.model_versions import find
from components.datasets.archive import HOME as UNPACKED
from components.datasets.manifest import read_manifest
from components.models.classifier import Classifier, ClassifierSpec, save_classifier
from components.models.encoder_file import build_encoder
from components.release.package import package
from pipelines import doctor
from pipelines.dvc import prepare_workspace
from pipelines.inline import PROJECT

CLASSES = ["cat", "dog", "emu"]
PICTURES = Path("data/raw/pictures")
LEDGER = Path("data/labels/ledger.csv")
SPEC = spec_of(name="small_resnet", options={"width": 8}, channels=1, image_size=32, dim=32, mean=[0.5], std=[0.25])
EITHER, NO, YES = {0, 1}, {1}, {0}
SLOW = 25  # of so many settings, one is tried on commands that start other processes
OF_THIS_PROCESS = ("room", "graph files", "experiment", "pictures", "models")  # checkups that read the settings


def _no() -> bool:
    return False


@dataclass(frozen=True)
class Attempt:
    """An input that is in place. commands: each to be run on it, with the exit codes that are right.

    broke_out: whether what was taken did what it must not.
    """

    what: str
    commands: Mapping[str, set[int]]
    broke_out: Callable[[], bool] = _no


def project(home: Path) -> None:
    """Make a project of 36 pictures, read, with vectors and a champion, in the new folder."""
    home.mkdir()
    before = Path.cwd()
    os.chdir(home)
    os.environ[journal.PARENT] = "none"  # so that no stage talks to MLflow
    for name in ("dvc.yaml", "components", "pipelines"):
        Path(name).symlink_to(PROJECT / name)
    _settings(ingest={"source": str(PICTURES)})
    for number in range(36):
        file = PICTURES / ("test" if number % 4 == 3 else "train") / CLASSES[number % 3] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_picture(number))
    for folder in ("labels/synthetic", "weights", "embed", "validate"):
        Path("data", folder).mkdir(parents=True)
    LEDGER.write_text(sound([], CLASSES))
    assert stage.main("code") == 0
    assert stage.main("ingest") == 0
    np.save("data/embed/embeddings.npy", np.random.default_rng(0).normal(size=(36, 8)).astype(np.float32))
    Path("data/validate/verdict.json").write_text('{"success": true}')
    finished()
    prepare_workspace()
    _register()
    os.chdir(before)


def finished() -> None:
    """Write what `winnow summary` reads of a run that came to its end."""
    figures = dict.fromkeys(("accuracy", "accuracy_low", "accuracy_high", "control_accuracy"), 0.5)
    version = {"name": "winnow", "version": 1, "model_sha256": "0" * 64, "gate": {"passed": True, "why": "first"}}
    results = {"evaluate/metrics": {**figures, "labels_used": 12, "test_samples": 9}, "register/version": version}
    for name, facts in {
        **results,
        "finetune/guard": {"why": "shipped"},
        "finetune/second_control": {"why": ""},
    }.items():
        Path("data", name).parent.mkdir(parents=True, exist_ok=True)
        Path("data", f"{name}.json").write_text(json.dumps(facts))


def _register() -> None:
    torch.manual_seed(0)
    spec = ClassifierSpec(encoder=SPEC, classes=CLASSES, method="full")
    classifier = Classifier(build_encoder(SPEC), torch.nn.Linear(SPEC.dim, len(CLASSES)), spec).eval()
    save_classifier(Path("model.safetensors"), classifier)
    pictures = np.load("data/ingest/samples.npy")[:2]
    package(classifier, Path("model.safetensors"), pictures, Path("package"))
    digest = model_versions.model_digest(Path("model.safetensors"))
    made = model_versions.create("winnow", Path("package"), run_id="0" * 32, digest=digest)
    with model_versions.promoting():
        model_versions.crown(made, Decided("promoted", why="for the benchmark."))


def versions(chance: random.Random) -> Iterator[Attempt]:
    """Every spoiled version, then bytes changed by chance, with the digests of before or with its own."""
    other = spare("winnow")
    promote = f"promote {other.number}"
    for case, forged in [
        (case, forged) for case in FILES for forged in (False, True) if not forged or not endless(case)
    ]:
        other.spoil(FILES[case], forged=forged)
        yield Attempt(f"{case}{', its digests too' if forged else ''}", {promote: NO})
    for case, tags in TAGS.items():
        other.spoil(None, **tags)
        yield Attempt(case, {promote: NO})
    other.spoil(None)
    for case, place in SOURCES.items():
        with other.moved(place):
            yield Attempt(case, {promote: NO})
    while True:
        forged = chance.random() < 0.5
        other.spoil(bytes_by_chance(chance), forged=forged)
        yield Attempt(f"bytes{', its digests too' if forged else ''}", {promote: EITHER if forged else NO})
        if find("winnow", "champion").number != 1:
            model_versions.promote("winnow", 1, prove=lambda _: None)


def archives(chance: random.Random) -> Iterator[Attempt]:
    """Archives of the pictures, spoiled: what is taken holds them as they were, and nothing lands elsewhere."""
    pictures = {path.relative_to(PICTURES).as_posix(): path.read_bytes() for path in PICTURES.rglob("*.png")}
    for number, suffix in enumerate(cycle(MAKERS)):
        path = Path(f"data/raw/{number}.{suffix}")
        _settings(ingest={"source": str(path)})
        there = _files()
        done = write_hostile(path, pictures, chance)

        def broke_out(path: Path = path, there: set[str] = there) -> bool:
            return bool(_files() - there - {str(path)}) or (
                not path.name.lower().endswith(".tar") and _differ(pictures)
            )

        yield Attempt(f"{suffix}, {done}", {"stage ingest": EITHER}, broke_out)
        path.unlink()
        shutil.rmtree(UNPACKED, ignore_errors=True)  # a tar has no checksums of contents: what one changed is its own


def _files() -> set[str]:
    """Every file of the project and beside it that no reading of an archive has to write."""
    ours = (UNPACKED, Path("data/ingest"), Path(".winnow"))
    inside = (path for path in Path().rglob("*") if not any(path.is_relative_to(own) for own in ours))
    return {str(path) for path in (*inside, *Path("..").glob("*"), *Path("/tmp").glob("x.jpg"))}


def _differ(pictures: dict[str, bytes]) -> bool:
    """Whether a picture came out of an archive with other bytes."""
    found = {path: path.read_bytes() for path in UNPACKED.rglob("*.png")}
    return any(
        path.as_posix().endswith(f"/{name}") and found[path] != content
        for path in found
        for name, content in pictures.items()
    )


def weights(chance: random.Random) -> Iterator[Attempt]:
    """Tensors that no network has, files that hold none, then bytes changed by chance."""
    torch.manual_seed(0)
    own = build_encoder(SPEC).state_dict()
    for name, content in NO_WEIGHTS.items():
        yield _weights(name, name, content, NO)
    for case, (name, change) in {**UNSOUND, **TORCH_ONLY}.items():
        tensors = {**own, name: change(own[name])}
        yield _weights(case, "w.pth", _saved(tensors), NO)
        if case in UNSOUND:
            yield _weights(case, "w.safetensors", save(tensors), NO)
    kinds = {"w.pth": _saved(own), "w.safetensors": save(own)}
    while True:
        name = chance.choice(list(kinds))
        yield _weights("bytes", name, changed(kinds[name], chance), EITHER)


def _weights(what: str, name: str, content: bytes, right: set[int]) -> Attempt:
    file = Path("data/weights", name)
    file.write_bytes(content)
    start = {"encoder": {"name": SPEC.name, **SPEC.options}, "weights": str(file), "workers": 0}
    _settings(ingest={"modality": SPEC.inputs.modality.model_dump()}, pretrain=start)
    return Attempt(f"{what} ({name})", {"settings": right})


def _saved(tensors: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    torch.save(tensors, stream)
    return stream.getvalue()


def settings(chance: random.Random) -> Iterator[Attempt]:
    """One or several settings of params.yaml are what nobody means."""
    text = yaml.safe_dump(yaml.safe_load(Path("params.yaml").read_text()), sort_keys=False, default_flow_style=False)
    every = dict(doctor.CHECKUPS)
    number = 0
    while True:
        changed_text = mutated(text, chance)
        if chance.random() < 0.2:
            changed_text = mutated(changed_text, chance)
        Path("params.yaml").write_text(changed_text, encoding="utf-8", errors="surrogatepass")
        commands = dict.fromkeys(("settings", "summary", "doctor", "promote 1", "label rename cat dog"), EITHER)
        commands["repro --from nowhere"] = NO
        number += 1
        doctor.CHECKUPS.clear()
        doctor.CHECKUPS.update(every if number % SLOW == 0 else {name: every[name] for name in OF_THIS_PROCESS})
        if number % SLOW == 0:
            commands |= {"status": EITHER, "repro --from ingest --budget 0": NO}
        yield Attempt(changed_text, commands)


def ledgers(chance: random.Random) -> Iterator[Attempt]:
    """Ledgers that say the same otherwise, that cannot be meant, and pieces put in by chance."""
    samples = read_manifest(Path("data/ingest/manifest.parquet"), ["id", "split"])
    plain = sound(samples.loc[samples["split"] == "train", "id"].tolist()[:9], CLASSES)
    both = {"stage label": EITHER, "label withdraw --gone": EITHER}
    for case, edit in [*TAKEN.items(), *REFUSED.items()]:
        LEDGER.write_bytes(edit(plain, chance))
        yield Attempt(case, {**both, "stage label": YES if case in TAKEN else NO})
    while True:
        LEDGER.write_bytes(by_chance(plain, chance))
        yield Attempt("by chance", both)


def _settings(**changes: dict[str, Any]) -> None:
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["label"]["budget"] = 12
    for name, change in changes.items():
        params[name] |= change
    Path("params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def _picture(number: int) -> bytes:
    """A picture of its own for every number."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


KINDS: dict[str, Callable[[random.Random], Iterator[Attempt]]] = {
    "versions": versions,
    "archives": archives,
    "weights": weights,
    "settings": settings,
    "ledgers": ledgers,
}
