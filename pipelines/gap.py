"""`winnow gap`: how far another project's samples are from these, as figures and as a picture."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.core.config import PluginChoice, read_params
from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.files import replacing, write_text

RESULTS = Path("data/gap")
INGESTED = Path("data/ingest")
SHOWN = 1000  # dots of each set in the picture
ENCODER = Path("data/pretrain/encoder.safetensors")

Floats = npt.NDArray[np.float32]


def show_gap(other: Path) -> None:
    """Print the table and write `data/gap/gap.json` and `gap.png`.

    Raises WinnowError where a project is not ingested yet, or where the two keep data of different kinds.
    """
    for project in (other, Path()):
        _check_ingested(project)
    params = read_params()
    seed = int(params.get("seed", 0))
    prepare(threads=int(params.get("threads", 1)))
    from components.judging.domain_gap import LEAST, MOST, domain_gap
    from components.models.encoder_file import load_encoder
    from components.training.inference import embed_all

    encoder, spec = load_encoder(ENCODER)
    vectors = []
    for project in (other, Path()):
        samples, rows = _training(project, spec.inputs.modality)
        if len(rows) < 2 * LEAST:
            raise WinnowError(f"{project} has {len(rows)} training samples: a gap is measured on {2 * LEAST} or more.")
        chosen = np.sort(np.random.default_rng(seed).permutation(rows)[: 2 * MOST])
        vectors.append(embed_all(encoder, spec.inputs.plain, samples, chosen))
    between, within = domain_gap(*vectors, seed=seed)
    facts = {"other": str(other), "between": asdict(between), "within": asdict(within)}
    write_text(RESULTS / "gap.json", json.dumps(facts, indent=2, sort_keys=True) + "\n")
    _draw(RESULTS / "gap.png", *(part[:SHOWN] for part in vectors), name=other.resolve().name)
    print(f"{'':22}{other} and here   two halves of here")
    width = len(f"{other} and here")
    for title, field, reading in (
        ("proxy A-distance", "a_distance", "0: nobody could tell them apart, 2: always"),
        ("Frechet distance", "frechet", "of vectors of length 1; 0: equal means and covariances"),
    ):
        pair = getattr(between, field), getattr(within, field)
        print(f"{title:<22}{pair[0]:<{width}.4f}   {pair[1]:<18.4f}   {reading}")
    print(f"{RESULTS / 'gap.png'} is the picture.")


def _check_ingested(project: Path) -> None:
    for name in ("samples.npy", "samples.json", "manifest.parquet"):
        path = project / INGESTED / name
        if not path.is_file():
            raise WinnowError(f"{path} is not there: run `winnow repro` in {project.resolve().name} first.")


def _training(project: Path, modality: PluginChoice) -> tuple[Any, npt.NDArray[np.int64]]:
    """A project's samples, and the rows of its training split."""
    from components.datasets.manifest import positions_of, read_manifest
    from components.datasets.sample_store import open_samples

    home = project / INGESTED
    samples = open_samples(home / "samples.npy")
    if theirs := samples.about.modality.differing(modality):
        ours = modality.differing(samples.about.modality)
        raise WinnowError(
            f"{project} keeps {theirs}, and the encoder here takes {ours}: give both projects the same ingest.modality."
        )
    return samples, positions_of(read_manifest(home / "manifest.parquet", ["split"]), "train")


def _draw(path: Path, source: Floats, target: Floats, *, name: str) -> None:
    """Both sets on the first two principal components of all, as dots."""
    from components.judging.domain_gap import unit
    from components.pages.chart_style import ACCENT, WARN, empty_figure

    together = unit(np.concatenate([source, target]))
    centered = together - together.mean(0)
    _, _, axes = np.linalg.svd(centered, full_matrices=False)
    places = centered @ axes[:2].T
    figure = empty_figure(6, 5)
    plot = figure.subplots()
    for rows, color, label in ((places[: len(source)], WARN, name), (places[len(source) :], ACCENT, "here")):
        plot.scatter(rows[:, 0], rows[:, 1], s=6, alpha=0.5, color=color, linewidths=0, label=label)
    plot.set(title="Both sets in the encoder's space", xlabel="first component", ylabel="second component")
    plot.legend(frameon=False, markerscale=3)
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})
