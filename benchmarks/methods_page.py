"""docs/methods.md out of the kept figures: every method, its source, and what it learned; nothing there is typed.

`python -m benchmarks.self_supervised digits --save` keeps figures, `python -m benchmarks.methods_page` writes the page.
"""

import json
from typing import Any

import numpy as np

from benchmarks import audit, cost, speech_methods, text_methods, text_views
from benchmarks._few_labels_page import sections
from benchmarks._page import kept_by_data, of_method
from benchmarks._pipeline import mean_and_interval
from benchmarks.self_supervised import BASELINES, RESULTS, VISIBLE
from components.judging.collapse import SHRUNK_RANK, SHRUNK_STD
from pipelines.compare import how_well_foretold
from pipelines.inline import PROJECT

PAGE = PROJECT / "docs/methods.md"
TIME = {"fashion_gpu": "minutes of an H200 asked for, fourteen runs sharing it: epochs differ, read them first"}
NAMES = {
    "pixels": ("raw pixels", ""),
    "random": ("random initialization", ""),
    "random_vit": ("random initialization, transformer", ""),
    "supervised": ("supervised, all labels, same minutes", ""),
}
PROBES = {"knn": "k-NN", "linear": "linear", "linear_few": "linear, 10 labels a class"}
FIGURES = ("epochs", "samples_per_second", "peak_megabytes", "effective_rank")
ENOUGH = 0.05  # above random initialization in one of the probes: it learned
INTRODUCTION = """# Methods

Written by `python -m benchmarks.methods_page` from the figures that
`python -m benchmarks.self_supervised digits --save` (or `fashion --root FOLDER`) keeps in `benchmarks/results`.

## Self-supervised

Each method with its defaults, the same network, the same CPU time, one thread; its encoder is then frozen. Three
probes on the test pictures: the 20 nearest training pictures vote (k-NN), a logistic regression on all training labels
(linear), and one on 10 labels a class (mean of 5 draws). Mean over seeds, in brackets Student's 95 % interval, cut at
0 and 1. Gain: in points over random initialization of the same network, in the probe where it is largest. Epochs:
passes over the data that fit into the time. Speed in pictures a second and memory beyond what was held before, on a
shared core: read them against each other only. What is in no table was not measured on those pictures.
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for data, title, kept in kept_by_data("self_supervised"):
        parts.append(_section(title, TIME.get(data, "CPU minutes a training"), kept))
    collapse = RESULTS / "collapse_digits.json"
    if collapse.is_file():
        parts.append(_collapse(json.loads(collapse.read_text())))
    if text_methods.PATH.is_file():
        parts.append(text_methods.section(json.loads(text_methods.PATH.read_text())))
    if text_views.PATH.is_file():
        parts.append(text_views.section(json.loads(text_views.PATH.read_text())))
    if speech_methods.PATH.is_file():
        parts.append(speech_methods.section(json.loads(speech_methods.PATH.read_text())))
    for name, section in (("audit", _audit), ("cost", _cost)):
        path = RESULTS / f"{name}.json"
        if path.is_file():
            parts.append(section(json.loads(path.read_text())))
    return "\n".join([*parts, "## Few labels", "", *sections()])


def _audit(kept: dict[str, Any]) -> str:
    return "\n".join(
        [
            "### Augmentation audit where the answer is known",
            "",
            f"`python -m benchmarks.audit`: {kept['labels']} labels, {kept['seeds']} seeds, SimCLR for",
            f"{kept['minutes']:g} CPU minutes on the pictures themselves. Mildest → strongest level: in how many",
            "audits it was refused, and how many in a hundred labeled pictures went to another class.",
            "",
            *audit.table(kept),
            "",
        ]
    )


def _cost(kept: dict[str, Any]) -> str:
    size = f"{kept['size']}x{kept['size']}x{kept['channels']}"
    rows = sorted(kept["methods"].items(), key=lambda row: -row[1]["winnow"]["samples_per_second"])
    return "\n".join(
        [
            "### Cost",
            "",
            f"`python -m benchmarks.cost`: {size} pictures, two cores, batches of {cost.BATCH}, the same small network",
            "(MAE: a transformer) and widths; beside it the loop that lightly's documentation shows, with two loader",
            "processes, in the same run. Memory: peak of the training process beyond what it held before.",
            "",
            *cost.HEADER,
            *(cost.row(of_method(name)[0], loops) for name, loops in rows),
            "",
        ]
    )


def _collapse(kept: dict[str, dict[str, Any]]) -> str:
    minutes = max(rows["minutes"] for rows in kept.values())
    lines = [
        "### Collapse",
        "",
        "Each method on digits as it is, and with what keeps its vectors apart taken out",
        f"(`python -m benchmarks.collapse`, means over seeds, {minutes:g} CPU minutes a training).",
        "Deviation (1: spread evenly) of the vectors that the loss compares, and their effective rank relative to the",
        "untrained network's: health figures without labels that the pretrain stage writes per epoch; it tells of a",
        f"collapse below {SHRUNK_STD:g} or {SHRUNK_RANK:g}. Rank: of the encoder's vectors. k-NN: test pictures.",
        "",
        "| method | taken out | deviation | rank kept | rank | k-NN | told |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in sorted(kept.items()):
        sound, removed = rows["sound"], rows["removed"]
        cells = [
            " → ".join(f"{np.mean([run[figure] for run in runs]):.{digits}f}" for runs in (sound, removed))
            for figure, digits in (("projected_std", 2), ("rank_kept", 2), ("effective_rank", 1), ("knn", 3))
        ]
        told = " → ".join(f"{sum(run['caught'] for run in runs)}/{len(runs)}" for runs in (sound, removed))
        lines.append(f"| {' | '.join([of_method(name)[0], rows['safeguard'], *cells, told])} |")
    return "\n".join([*lines, ""])


def _section(title: str, time: str, kept: dict[str, dict[str, dict[str, Any]]]) -> str:
    minutes = {run["minutes"] for name, runs in kept.items() if name not in BASELINES for run in runs.values()}
    rows = [_row(name, list(runs.values()), kept) for name, runs in kept.items()]
    rows.sort(key=lambda row: -row[0])
    lines = [
        f"### {title}",
        "",
        f"{' or '.join(f'{value:g}' for value in sorted(minutes))} {time}.",
        "",
        "| method | source | " + " | ".join(PROBES.values()) + " | gain | seeds | epochs | pictures/s | MB | rank |",
        "|---|---|" + "---|" * (len(PROBES) + 6),
        *(text for _, text in rows),
        "",
    ]
    foretold = how_well_foretold(kept)
    if foretold:
        lines += [
            f"`winnow compare pretrain` ranks by leave-one-out k-NN on visible labels. With {VISIBLE} a class, that "
            f"ranking of {foretold[1]} methods and the one by the third probe agree with Spearman's {foretold[0]:.2f}.",
            "",
        ]
    return "\n".join(lines)


def _row(name: str, runs: list[dict[str, Any]], kept: dict[str, Any]) -> tuple[float, str]:
    title, source = NAMES.get(name) or of_method(name)
    sound = [run for run in runs if "failed" not in run]
    if not sound:
        return -1.0, f"| {title} | {source} | failed: {runs[0]['failed']} |" + " |" * (len(PROBES) + 5)
    cells = [mean_and_interval([run[probe] for run in sound]) for probe in PROBES]
    figures = [_plain(sound, figure) for figure in ("epochs", "samples_per_second", "peak_megabytes", "effective_rank")]
    gain = _gain(sound, kept) if name not in BASELINES else ""
    order = float(np.mean([run["linear_few"] for run in sound]))
    return order, f"| {' | '.join([title, source, *cells, gain, str(len(sound)), *figures])} |"


def _plain(runs: list[dict[str, Any]], figure: str) -> str:
    values = [run[figure] for run in runs if figure in run]
    return f"{float(f'{np.mean(values):.3g}'):g}" if values else ""


def _gain(runs: list[dict[str, Any]], kept: dict[str, Any]) -> str:
    """Best probe's mean above that of the same network untrained."""
    baseline = kept.get(f"random{runs[0].get('encoder', '')}", {})
    if not baseline:
        return ""
    gains = [
        np.mean([run[probe] for run in runs]) - np.mean([run[probe] for run in baseline.values()]) for probe in PROBES
    ]
    best = float(max(gains))
    return f"{100 * best:+.1f}" + ("" if best >= ENOUGH else " (too little)")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
