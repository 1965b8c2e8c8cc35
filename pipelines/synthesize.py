"""`winnow synthesize`: questions about pictures that are made where the model cannot tell two classes apart."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core import plugins
from components.core.config import read_params
from components.core.environment import prepare
from components.core.errors import WinnowError
from pipelines.compare import NEEDED, job_for

if TYPE_CHECKING:
    from components.models.classifier import Classifier
    from components.pages.gallery import Card
    from components.training.synthesis import Synthetic

FOLDER, PAGE = Path("data/labels/synthetic"), Path("data/synthesize/gallery.html")
LABELS, MODEL = Path("data/label/labels.parquet"), Path("data/finetune/model.safetensors")
REAL = 4000  # pictures of the pool that are looked at, at most
WHY = "Made between {} ({:.0%}) and {} ({:.0%})."


def make_questions(generator: str, count: int, minutes: float) -> None:
    """Write pictures beside the ledger and a page that asks about them; say what to do next.

    Raises WinnowError for a method that makes no pictures, for nothing to do, and where there is no model yet.
    """
    _check(generator, count, minutes)
    params = read_params()
    prepare(threads=int(params.get("threads", 1)))
    from components.datasets.synthetic import file_of, identity_of
    from components.models.classifier import load_classifier
    from components.pages.gallery import write_gallery

    print(f"  training {generator} for {minutes:g} CPU minutes", file=sys.stderr, flush=True)
    classifier = load_classifier(MODEL)
    made = synthetic(generator, count, minutes * 60, classifier, params)
    if not len(made.pictures):
        raise WinnowError(
            f"the model takes all that {generator} makes for one class: raise --minutes, or label more pictures first."
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    modality = classifier.spec.encoder.inputs.kind
    contents = [modality.to_file(picture) for picture in made.pictures]
    ids = [identity_of(content) for content in contents]
    for identity, content in zip(ids, contents, strict=True):
        file_of(FOLDER, identity).write_bytes(content)
    cards, labels = _cards(ids, made, classifier)
    write_gallery(PAGE, cards, modality, classes=classifier.spec.classes, strategy=generator, pool=None, labels=labels)
    print(f"{len(ids)} pictures are in {FOLDER}, and {PAGE} asks about them.")
    print("What you name in the ledger, the next run learns from; delete the files of the others.")


def synthetic(
    name: str,
    count: int,
    cpu_seconds: float,
    classifier: "Classifier",
    params: dict[str, Any],
    home: Path = Path(),
) -> "Synthetic":
    """Train the method `name` on the training pictures of the project at `home`, then make pictures."""
    from components.core import seeds
    from components.methods.contracts import GenerativeMethod
    from components.training.corpus import open_corpus
    from components.training.precision import choose_device
    from components.training.pretraining import build_method
    from components.training.synthesis import synthesize
    from components.training.trial import run_trial

    job = job_for(name, params)
    seeds.deterministic(job.threads)
    corpus = open_corpus(home / job.manifest, home / job.samples, home / job.policy)
    method, _ = run_trial(
        lambda: build_method(job.model_copy(update={"weights": None}), corpus),
        corpus,
        job.loop,
        cpu_seconds,
        seed=job.seed,
        device=choose_device(),
    )
    seen = np.sort(seeds.numpy_generator(job.seed, "synthesize").permutation(corpus.rows)[:REAL])
    generator = seeds.torch_generator(job.seed, "synthesize")
    assert isinstance(method, GenerativeMethod)
    return synthesize(method, classifier, np.asarray(corpus.samples[seen]), count, generator)


def _check(generator: str, count: int, minutes: float) -> None:
    from components.methods.contracts import GenerativeMethod

    every = plugins.names("self_supervised")
    known = [name for name in every if issubclass(plugins.load("self_supervised", name), GenerativeMethod)]
    if generator not in known:
        raise WinnowError(f"--generator '{generator}' makes no pictures: choose from {', '.join(known)}.")
    if count < 1 or not 0 < minutes < math.inf:
        raise WinnowError("--count and --minutes must be numbers above 0: for example --count 10 --minutes 1.")
    for path in (*NEEDED.values(), LABELS, MODEL):
        if not path.is_file():
            raise WinnowError(f"{path} is not there: run `winnow repro` first.")


def _cards(ids: list[str], made: "Synthetic", classifier: "Classifier") -> tuple[list["Card"], int]:
    """A card for each picture, the labeled sample most like it on it, and how many labels are in force."""
    from components.datasets.labels import read_labels
    from components.datasets.manifest import read_manifest, rows_of
    from components.datasets.sample_store import open_samples
    from components.datasets.synthetic import file_of
    from components.methods.clusters import nearest, unit
    from components.pages.gallery import Card, Example
    from components.training.inference import observe

    labels, samples = read_labels(LABELS), open_samples(NEEDED["samples"])
    labeled = rows_of(labels.ids, read_manifest(NEEDED["manifest"], ["id"])["id"], str(LABELS))
    known = observe(classifier, samples, labeled, features=True).features
    assert known is not None
    similarities, twins = nearest(unit(made.features), unit(known))
    cards = []
    for row, identity in enumerate(ids):
        order = np.argsort(-made.probabilities[row], kind="stable").tolist()
        classes = [(classifier.spec.classes[k], float(made.probabilities[row, k])) for k in order]
        twin = int(twins[row])
        label = labels.classes[int(labels.distributions[twin].argmax())]
        cards.append(
            Card(
                id=identity,
                path=str(file_of(FOLDER, identity)),
                rank=row + 1,
                reason=WHY.format(*classes[0], *classes[1]),
                classes=classes,
                sample=made.pictures[row],
                nearest=Example(samples.record(labeled[twin]), label, float(similarities[row])),
            )
        )
    return cards, labels.used
