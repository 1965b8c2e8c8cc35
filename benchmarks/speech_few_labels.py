"""Spoken digits with few labels through the pipeline, by a speaker whom nobody trained on, on labels that it picked.

`python -m benchmarks.speech_few_labels --archive FILE` with the Free Spoken Digit Dataset: 3,000 clips of six speakers,
each held out in turn. SimCLR is learned on the clips of the other five, without labels; k-medoids picks the labels;
validation by folds of whole speakers is among them. CPU seconds: of pretraining, one thread. `--split index` tests on
the first five recordings of each digit by speakers who are all trained on, which is no test: it is there to be seen.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
import torch

from benchmarks._pipeline import keep, mean_and_interval, settings
from benchmarks.text_few_labels import Rivals as TextRivals
from components.core.config import PluginChoice
from components.datasets.manifest import read_manifest
from components.datasets.sample_store import open_samples, padded
from components.judging.time_warping import warped
from components.modalities import build_modality
from pipelines.clips import ENCODER, FLOOR, METHOD, POLICIES, RATE, SPREAD, THRESHOLD
from pipelines.inline import LABELED, UNLABELED, run_stages, share

PATH = Path(__file__).parent / "results/speech_few_labels.json"
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
NEAREST = 15
FIRST = 5  # recordings of each digit and speaker that the index split tests on
CHANGES: dict[str, Any] = {
    "threads": 1,
    "augment": {"policies": POLICIES},
    "pretrain": {
        "method": METHOD,
        "encoder": ENCODER,
        "epochs": 18,
        "batch_size": 256,
        "learning_rate": RATE,
        "workers": 0,
    },
    "pseudo_label": {"method": SPREAD, "threshold": THRESHOLD},
    "finetune": {"method": {"name": "linear_probe"}, "second_control": "off"},
}
INGEST = {
    "modality": {"name": "speech", "sample_rate": 8000, "seconds": 1.0, "floor": FLOOR},
    "group": {"pattern": "[0-9]_([a-z]+)_"},
    "leaks": "drop",
}


def main() -> None:
    """Run what the command line asks for, keep the figures and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech_few_labels", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the data set's archive, recordings as WAV files")
    parser.add_argument("--labels", type=_numbers, default=[10, 40, 100, 0], help="0: all there are")
    parser.add_argument("--speakers", type=lambda text: text.split(","), default=list(SPEAKERS))
    parser.add_argument("--split", choices=["speaker", "index"], default="speaker")
    parser.add_argument("--untrained", action="store_true", help="the encoder as it is at first")
    parser.add_argument("--home", type=Path, help="folder that keeps the encoders for another call")
    asked = parser.parse_args()
    variant = asked.split + (", untrained" if asked.untrained else "")
    with tempfile.TemporaryDirectory() as folder:
        warping = Warping.of(asked.archive, (asked.home or Path(folder)) / "warping.npz")
        for speaker in asked.speakers if asked.split == "speaker" else ["all"]:
            _run(asked, variant, speaker, Path(folder), warping)
    print("\n".join(table(json.loads(PATH.read_text())[variant])))


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each method, a column for each number of labels, the mean over speakers and its interval."""
    counts = sorted(kept, key=lambda count: int(count) or 10**9)
    names = dict.fromkeys(name for count in counts for run in kept[count].values() for name in run)
    lines = [f"| | {' | '.join(f'{count} labels' if int(count) else 'all' for count in counts)} |"]
    lines.append("|---" * (1 + len(counts)) + "|")
    for name in names:
        cells = [mean_and_interval([run[name] for run in kept[count].values() if name in run]) for count in counts]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _run(asked: argparse.Namespace, variant: str, speaker: str, folder: Path, warping: "Warping") -> None:
    source, base = folder / speaker, (asked.home or folder) / f"{variant} {speaker}"
    lay_out(asked.archive, source, speaker if asked.split == "speaker" else None)
    ingest = {**INGEST, "source": str(source)}
    if asked.split == "index":
        ingest = {name: value for name, value in ingest.items() if name != "group"}
    changes = {**CHANGES, "ingest": ingest}
    if asked.untrained:
        changes["pretrain"] = {**CHANGES["pretrain"], "epochs": 1, "learning_rate": 1e-12}
    if not (base / "data/embed").is_dir():
        _say(f"{speaker}, CPU seconds: {run_stages(UNLABELED, base, settings(**changes))}")
    for budget in asked.labels:
        place = share(base, folder / f"{speaker}-{budget}")
        spent = run_stages(LABELED, place, settings(**{**changes, "label": {"budget": budget or None}}))
        rivals = Rivals(place / "data", warping)
        metrics = json.loads((rivals.data / "evaluate/metrics.json").read_text())
        figures = {
            "winnow": metrics["accuracy"],
            "winnow, labels alone": metrics["control_accuracy"],
            "the same vectors, logistic regression": rivals.logistic(rivals.vectors),
            "MFCC statistics, logistic regression": rivals.logistic(rivals.cepstra),
            "MFCC statistics, LabelSpreading": rivals.spreading(rivals.cepstra),
            "MFCC by time warping, LabelSpreading": rivals.spread_by_warping(),
            "chance": 0.1,
        }
        guard = json.loads((rivals.data / "finetune/guard.json").read_text())
        _say(f"{speaker}, {budget}: {figures} {guard['why']} {spent}")
        keep(PATH, (variant, budget, speaker), {name: round(value, 4) for name, value in figures.items()})


def lay_out(archive: Path, folder: Path, held_out: str | None) -> None:
    """`train|test/<digit>/<file>`: all clips of one speaker for the test, or of everybody the first few."""
    with ZipFile(archive) as file:
        for name in file.namelist():
            digit, speaker, number = Path(name).stem.split("_")
            tested = int(number) < FIRST if held_out is None else speaker == held_out
            place = folder / ("test" if tested else "train") / digit / Path(name).name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read(name))


@dataclass(frozen=True)
class Warping:
    """How far all clips are from each other by dynamic time warping of their cepstral coefficients.

    rows: of each file by its name; far: `(N, N)`, see `warped`.
    """

    rows: dict[str, int]
    far: npt.NDArray[np.float32]

    @classmethod
    def of(cls, archive: Path, kept: Path) -> "Warping":
        """Of all clips of the archive, or what `kept` holds: it takes one and a half minutes."""
        with ZipFile(archive) as file:
            names = sorted(name for name in file.namelist() if name.endswith(".wav"))
            rows = {Path(name).name: row for row, name in enumerate(names)}
            if kept.is_file():
                return cls(rows, np.load(kept)["far"])
            kind = build_modality(PluginChoice.model_validate(INGEST["modality"]))
            records = [kind.read(file.read(name)).values for name in names]
        sequences, lengths = kind.sequences(padded(records))
        every = torch.arange(len(names))
        far = [warped(sequences[row, : int(lengths[row])], sequences, lengths, every).numpy() for row in every.tolist()]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, far=np.stack(far))
        return cls(rows, np.stack(far))


class Rivals(TextRivals):
    """The same labels and the same test clips, for what a user would pick instead."""

    def __init__(self, data: Path, warping: Warping) -> None:
        super().__init__(data)
        paths = read_manifest(data / "ingest/manifest.parquet", ["path"])["path"]
        self.rows = np.array([warping.rows[Path(path).name] for path in paths])
        self.far = warping.far

    def spread_by_warping(self) -> float:
        """scikit-learn's LabelSpreading with its defaults, over each clip's `NEAREST` nearest training clips."""
        from sklearn.semi_supervised import LabelSpreading

        def nearest(known: Any, asked: Any) -> Any:
            far = self.far[np.ix_(self.rows[known[:, 0]], self.rows[asked[:, 0]])]
            near = far <= np.partition(far, NEAREST, axis=0)[NEAREST]
            return (near | near.T if known is asked else near).astype(float)

        rows, classes = self.labeled()
        targets = np.full(len(self.train), -1)
        targets[np.searchsorted(self.train, rows)] = classes
        model = LabelSpreading(kernel=nearest).fit(self.train[:, None], targets)
        return float((model.predict(self.test[:, None]) == self.truth).mean())

    @cached_property
    def cepstra(self) -> Any:
        """`(N, F)`: means and deviations of cepstral coefficients."""
        store = open_samples(self.data / "ingest/samples.npy")
        kind = build_modality(store.about.modality)
        (found,) = kind.simple_features(store[np.arange(len(store))]).values()
        return found


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
