"""`winnow explore`: one page on which all samples can be looked at, out of what the stages have left so far."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from components.core import seeds
from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.stage_settings import top_settings
from components.datasets.labels import read_labels
from components.datasets.manifest import SPLITS, positions_of, read_manifest, rows_of
from components.datasets.pseudo_labels import STATUSES, read_pseudo_labels
from components.datasets.quarantine import read_quarantine
from components.datasets.sample_store import open_samples
from components.datasets.vectors import open_vectors
from components.modalities import build_modality
from components.pages.brief import brief
from components.pages.explore import LeftOut, Points, render
from components.pages.on_map import on_map
from components.pages.sheets import sheets
from components.pages.spread import spread
from pipelines.labeling.places import MANIFEST, SAMPLES, VECTORS

DATA, PAGE = Path("data"), Path("data/explore/explore.html")
NEIGHBORS = Path("data/embed/neighbors.npz")
LABELS = Path("data/label/labels.parquet")
QUARANTINE = Path("data/ingest/quarantine.parquet")
PSEUDO_LABELS = Path("data/pseudo_label/pseudo_labels.parquet")
PREDICTIONS = Path("data/evaluate/predictions.parquet")
UNKNOWN, LABELED, RIGHT, MISTAKE = "without a label", "labeled", "right", "mistake"
WAYS = [UNKNOWN, LABELED, RIGHT, MISTAKE, *(f"pseudo-label: {name.replace('_', ' ')}" for name in STATUSES)]
NEAR = 8  # neighbors of each sample on the page
Integers = npt.NDArray[np.int64]


class _Known:
    """What is known of each sample: rows in the manifest's order, classes by name until all are met."""

    def __init__(self, listing: pd.DataFrame) -> None:
        self.ids = listing["id"]
        count = len(listing)
        self.label, self.guess = np.full(count, "", object), np.full(count, "", object)
        self.confidence = np.full(count, np.nan, np.float32)
        self.status = np.zeros(count, np.int64)

    def read(self) -> None:
        """Of the files that there are the pseudo-labels, the labels in force and what `evaluate` measured."""
        labels = read_labels(LABELS) if LABELS.is_file() else None
        classes = np.array(labels.classes if labels else [], object)
        if labels and PSEUDO_LABELS.is_file():
            pseudo = read_pseudo_labels(PSEUDO_LABELS)
            rows = rows_of(pseudo.ids, self.ids, str(PSEUDO_LABELS))
            self.guess[rows] = classes[pseudo.distributions.argmax(axis=1)]
            self.confidence[rows] = pseudo.confidence
            self.status[rows] = WAYS.index(MISTAKE) + 1 + pseudo.status.astype(np.int64)
        if labels:
            rows = rows_of(labels.ids, self.ids, str(LABELS))
            self.label[rows] = classes[labels.distributions.argmax(axis=1)]
            self.status[rows] = WAYS.index(LABELED)
        if PREDICTIONS.is_file():
            table = pd.read_parquet(PREDICTIONS, columns=["id", "actual", "predicted", "confidence"])
            rows = rows_of(table["id"], self.ids, str(PREDICTIONS))
            self.label[rows], self.guess[rows] = table["actual"], table["predicted"]
            self.confidence[rows] = table["confidence"]
            right = (table["actual"] == table["predicted"]).to_numpy()
            self.status[rows] = np.where(right, WAYS.index(RIGHT), WAYS.index(MISTAKE))

    @property
    def classes(self) -> list[str]:
        """All that were met, sorted."""
        return sorted({*self.label, *self.guess} - {""})


def explore(out: Path | None) -> str:
    """Write the page, by default `PAGE`, and say where it is.

    Raises WinnowError where there are no vectors yet, and where files are of other samples than the manifest's.
    """
    page = out or PAGE
    if page.suffix != ".html":
        raise WinnowError(f"{page} does not end in .html, so no browser would open it: give it such a name.")
    if page.resolve().is_relative_to(DATA.resolve()) and not page.resolve().is_relative_to(PAGE.parent.resolve()):
        raise WinnowError(f"{page} is in {DATA}/, where stages write: name a place outside, or in {PAGE.parent}/.")
    write_text(page, page_of_all())
    return f"{page}: {len(read_manifest(MANIFEST, ['id'])):,} samples; open it in a browser."


def page_of_all(*, served: bool = False) -> str:
    """The page as text; served: see `render`. Raises WinnowError as `explore` does."""
    for path in (MANIFEST, SAMPLES, VECTORS):
        if not path.is_file():
            raise WinnowError(f"{path} is missing: run `dvc repro embed` first, by which samples have a place.")
    listing, vectors = read_manifest(MANIFEST, ["id", "path", "split"]), open_vectors(VECTORS)
    if len(vectors) != len(listing):
        raise WinnowError(f"{VECTORS} is of other samples than {MANIFEST}: run `dvc repro embed`, which makes it anew.")
    known = _Known(listing)
    known.read()
    return _page(listing, vectors, known, served)


def _page(listing: pd.DataFrame, vectors: npt.NDArray[np.float32], known: _Known, served: bool) -> str:
    seed = top_settings(read_params()).seed
    train = positions_of(listing, "train")
    store = open_samples(SAMPLES)
    modality = build_modality(store.about.modality)
    order = seeds.numpy_generator(seed, "explore").permutation(len(listing))
    first = np.isin(known.status[order], [WAYS.index(LABELED), WAYS.index(MISTAKE)])
    pictures = sheets(lambda row: modality.tile(store.record(row)), order[np.argsort(~first, kind="stable")])
    number = {name: place for place, name in enumerate(known.classes)}
    points = Points(
        ids=list(listing["id"]),
        paths=list(listing["path"]),
        said=[] if pictures.uris else [brief(modality, store.record(row)) for row in range(len(listing))],
        places=spread(vectors, train[on_map(len(train), seed)], seed),
        label=np.array([number.get(name, -1) for name in known.label], np.int64),
        guess=np.array([number.get(name, -1) for name in known.guess], np.int64),
        confidence=known.confidence,
        split=listing["split"].map(list(SPLITS).index).to_numpy().astype(np.int64),
        status=known.status,
        near=_near(len(listing)),
        classes=known.classes,
        splits=SPLITS,
        statuses=WAYS,
    )
    return render(points, pictures, modality, _left_out(listing), served=served)


def _left_out(listing: pd.DataFrame) -> LeftOut:
    """What the quarantine names, files of their own and those beside the samples they clash with."""
    if not QUARANTINE.is_file():
        return LeftOut([], [], [], np.zeros(0, np.int64))
    rows = read_quarantine(QUARANTINE)
    row_of = {path: row for row, path in enumerate(listing["path"])}
    twin = np.array([row_of.get(path, -1) for path in rows["twin"]], np.int64)
    return LeftOut(rows["path"].tolist(), rows["kind"].tolist(), rows["reason"].tolist(), twin)


def _near(count: int) -> Integers:
    """`(N, k)` rows of the manifest: of training samples the most similar; -1 of others."""
    if not NEIGHBORS.is_file():
        return np.full((count, 0), -1, np.int64)
    with np.load(NEIGHBORS, allow_pickle=False) as graph:
        positions, indices = graph["positions"], graph["indices"][:, :NEAR]
    near = np.full((count, indices.shape[1]), -1, np.int64)
    near[positions] = positions[indices]
    return near
