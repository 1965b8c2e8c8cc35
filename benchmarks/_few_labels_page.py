"""The second half of docs/methods.md: what was measured of learning from few labels."""

import inspect
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import (
    adaptation,
    conformal,
    crowd,
    few_label_sets,
    foreign_classes,
    guard_replay,
    label_errors,
    propagation_scale,
    query_scale,
    query_strategies,
    semi_supervised,
    synthesis,
)
from benchmarks._page import kept_by_data, of_method
from benchmarks._pipeline import mean_and_interval
from pipelines.inline import Params

HEADS = (
    "With `guard_epochs: 0` the guard hears solved heads in place of trained networks, to save time; the next section "
    "says what networks change."
)
FOLDS = (
    "Two folds in place of five save time too; the guard then hears models of half the labels, and lets out less "
    "(docs/benchmarks.md, docs/log.md)."
)


def sections() -> Iterator[str]:
    """One for each benchmark that has kept figures."""
    for data, title, kept in kept_by_data("semi_supervised"):
        yield _semi_supervised(title, semi_supervised.told_changes(data), kept)
    for _, title, kept in kept_by_data("adaptation"):
        yield _adaptation(title, kept)
    if foreign_classes.PATH.is_file():
        yield _foreign(json.loads(foreign_classes.PATH.read_text()))
    for data, _, kept in kept_by_data("query_strategies"):
        yield query_strategies.section(data, kept)
    if query_scale.PATH.is_file():
        yield query_scale.section(json.loads(query_scale.PATH.read_text()))
    if propagation_scale.PATH.is_file():
        yield _propagation_scale(json.loads(propagation_scale.PATH.read_text()))
    for benchmark in (guard_replay, synthesis, conformal, few_label_sets, crowd, label_errors):
        if benchmark.PATH.is_file():
            yield _told(benchmark, json.loads(benchmark.PATH.read_text()))


def _semi_supervised(title: str, changes: Params, kept: semi_supervised.Kept) -> str:
    verdicts = semi_supervised.verdicts(kept)
    lines = [
        f"### Semi-supervised: {title}",
        "",
        "`python -m benchmarks.semi_supervised`: each method with its defaults through the pipeline, on the same",
        "labels, chosen by k-medoids on SimCLR's vectors. Shipped: test accuracy of what the guard let out, beside",
        "that of fine-tuning on the labels alone, and on pseudo-labels too; ships: how often the guard let the latter",
        "out. Pool: the unlabeled training pictures; right: of those accepted. Means over seeds, in brackets",
        "Student's 95 % interval, cut at 0 and 1.",
        *([f"Changed settings: `{json.dumps(changes)}`."] if changes else []),
        *([HEADS] if changes.get("finetune", {}).get("guard_epochs") == 0 else []),
        *([FOLDS] if changes.get("label", {}).get("folds") == 2 else []),
        "",
    ]
    for labels in sorted(kept, key=int):
        lines += [f"{labels} labels:", "", *semi_supervised.HEADER]
        for name, runs in sorted(kept[labels].items()):
            lines.append(semi_supervised.row(" ".join(of_method(name, "semi_supervised")), list(runs.values())))
        lines += [""]
    lines += [
        f"What shipped was worse on the test pictures than labels alone in {verdicts['shipped_worse']} of "
        f"{verdicts['runs']} runs.",
        f"Pseudo-labels made the worse model in {verdicts['candidate_worse']}; in {verdicts['better_held_back']} the "
        "guard held a better one back.",
        "",
    ]
    return "\n".join(lines)


def _foreign(kept: dict[str, dict[str, dict[str, Any]]]) -> str:
    lines = [
        "### Foreign classes in the pool",
        "",
        "`python -m benchmarks.foreign_classes`: digits, and as many Fashion-MNIST pictures without a class. Shares",
        "accepted of each; right: of the digits accepted; surest foreign: confidence that a tenth of them exceeds.",
        "",
    ]
    for labels, methods in sorted(kept.items(), key=lambda item: int(item[0])):
        rows = [
            foreign_classes.row(of_method(name, "semi_supervised")[0], list(runs.values()))
            for name, runs in sorted(methods.items())
        ]
        lines += [f"{labels} labels, {max(map(len, methods.values()))} seeds:", "", *foreign_classes.HEADER, *rows, ""]
    return "\n".join(lines)


def _told(benchmark: ModuleType, kept: dict[str, Any]) -> str:
    """What the benchmark's docstring says of it, and its table."""
    title, _, how = (inspect.getdoc(benchmark) or "").partition("\n\n")
    return "\n".join([f"### {title.rstrip('.')}", "", how, "", *benchmark.table(kept), ""])


def _propagation_scale(kept: dict[str, Any]) -> str:
    sizes = sorted(kept.items(), key=lambda item: int(item[0]))
    return "\n".join(
        [
            "### Label propagation at scale",
            "",
            "`python -m benchmarks.propagation_scale`: made vectors of 128 numbers, 10 classes, 100 labels, 15",
            "neighbors, two cores; the graph is exact up to 100,000 samples. Each part in a process of its own;",
            "memory: all that it held, its libraries and the vectors too. Sweeps: products of the weights with the",
            "masses of all classes. The whole method: order, kernel, and sweeps until they settle, 100 at most, on",
            "that graph. scikit-learn's LabelSpreading: its graph and 30 sweeps. CPU seconds: of",
            "all threads.",
            "",
            *propagation_scale.HEADER,
            *(propagation_scale.row(size, part, figures) for size, parts in sizes for part, figures in parts.items()),
            "",
        ]
    )


def _adaptation(title: str, kept: dict[str, dict[str, dict[str, dict[str, Any]]]]) -> str:
    loop = adaptation.LOOP
    lines = [
        f"### Adaptation: {title}",
        "",
        "`python -m benchmarks.adaptation`: each method with its defaults on labels alone, no",
        f"pseudo-labels, from the same encoder by SimCLR and the same labels; {loop.epochs} epochs, each of one batch",
        f"of about {loop.batch_size}, at a rate of {loop.learning_rate:g} for all. Accuracy on the test pictures,",
        "mean over seeds, in brackets Student's 95 % interval. Trained: parameters that may change. CPU seconds on a",
        "shared core: read them against each other only.",
    ]
    for epochs, by_labels in sorted(kept.items(), key=lambda pair: -int(pair[0])):
        counts = sorted(by_labels, key=int)
        names = sorted({name for methods in by_labels.values() for name in methods})
        lines += ["", f"Encoder pretrained for {epochs} epoch{'s' * (epochs != '1')}:", ""]
        lines += ["| method | source | " + " | ".join(f"{count} labels" for count in counts) + " | trained | seconds |"]
        lines += ["|---|---|" + "---|" * (len(counts) + 2)]
        for name in names:
            runs = [list(by_labels[count].get(name, {}).values()) for count in counts]
            every = [run for cell in runs for run in cell]
            cells = [mean_and_interval([run["accuracy"] for run in cell]) if cell else "" for cell in runs]
            figures = [f"{every[0]['trained_parameters']:,}", f"{np.mean([run['seconds'] for run in every]):.1f}"]
            lines.append(f"| {' | '.join([*of_method(name, 'adaptation'), *cells, *figures])} |")
    return "\n".join([*lines, ""])
