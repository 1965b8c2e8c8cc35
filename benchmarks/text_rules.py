"""Rules as weak labels on news: what they cover and how often they are right, and the model with them and without.

`python -m benchmarks.text_rules --root FOLDER` with AG News' two tables, as `benchmarks.text_few_labels`. The rules,
a dozen for each class, were written from common sense before any of their figures was seen, and not changed since.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._pipeline import keep, mean_and_interval, settings
from benchmarks.text_few_labels import CHANGES, INGEST, join
from components.core.spreadsheet import to_csv
from components.datasets.oracle import reveal
from components.datasets.rule_labels import read_rule_labels
from components.datasets.rules import COLUMNS
from pipelines.inline import LABELED, RULES, UNLABELED, run_stages, share

PATH = Path(__file__).parent / "results/text_rules.json"
KEYWORDS = {
    "World": "president,minister,troops,iraq,bomb,killed,election,nuclear,palestinian,united nations,rebels",
    "Sports": "coach,season,olympic,league,championship,team,players,football,baseball,tennis,cup",
    "Business": "shares,profit,oil prices,stocks,earnings,dollar,bank,sales,economy,investors,wall street",
    "Sci/Tech": "software,microsoft,internet,computer,scientists,space,nasa,researchers,wireless,google,linux",
}
REGEXES = {
    "World": r"\b(hostages?|terroris(t|ts|m)|militants?)\b",
    "Sports": r"\b\d{1,3} ?- ?\d{1,3}\b",
    "Business": r"\$ ?\d[\d.,]* ?(million|billion)\b",
    "Sci/Tech": r"\b(web|online|digital|video ?games?)\b",
}
MODELS = ("majority_vote", "data_programming")


def main() -> None:
    """Run what the command line asks for, keep the figures and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_rules", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' tables")
    parser.add_argument("--labels", type=lambda text: [int(one) for one in text.split(",")], default=[0, 40])
    parser.add_argument("--seeds", type=lambda text: [int(one) for one in text.split(",")], default=[0, 1])
    parser.add_argument("--home", type=Path, help="folder that keeps the encoders for another call")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            _run(seed, asked.labels, asked.root, asked.home or Path(folder), Path(folder))
    print("\n".join(table(json.loads(PATH.read_text()))))


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each number of labels and way to weigh rules, or none; a column for each figure."""
    names = ["coverage", "rules right", "accuracy", "labels alone"]
    lines = [f"| labels, rules | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for count in sorted(kept, key=int):
        for how, runs in sorted(kept[count].items()):
            columns = [[run[name] for run in runs.values() if name in run] for name in names]
            cells = [mean_and_interval(values) if values else "–" for values in columns]
            lines.append(f"| {count}, {how} | {' | '.join(cells)} |")
    return lines


def rules() -> str:
    """The table of rules."""
    rows = [("keyword", word, name, "") for name, words in KEYWORDS.items() for word in words.split(",")]
    return to_csv(COLUMNS, [*rows, *(("regex", pattern, name, "") for name, pattern in REGEXES.items())])


def _run(seed: int, budgets: list[int], root: Path, home: Path, folder: Path) -> None:
    source, base = folder / "ag_news.parquet", home / f"seed{seed}"
    join(root, source)
    changes = {**CHANGES, "seed": seed, "ingest": {**INGEST, "source": str(source)}}
    if not (base / "data/embed").is_dir():
        run_stages(UNLABELED, base, settings(**changes))
    for budget in budgets:
        for how in ("no rules", *MODELS) if budget else MODELS:
            place = share(base, folder / f"seed{seed}-{budget}-{how.replace(' ', '-')}")
            label: dict[str, Any] = {"budget": budget}
            if how in MODELS:
                (place / RULES).parent.mkdir(parents=True, exist_ok=True)
                (place / RULES).write_text(rules())
                label["rule_aggregation"] = {"name": how}
            run_stages(LABELED, place, settings(**{**changes, "label": label}))
            figures = _figures(place / "data")
            print(f"seed {seed}, {budget} labels, {how}: {figures}", file=sys.stderr, flush=True)
            keep(PATH, (budget, how, f"seed {seed}"), figures)


def _figures(data: Path) -> dict[str, float]:
    """rules right: of all training samples that rules speak of, the share that they name right; nothing learns it."""
    metrics = json.loads((data / "evaluate/metrics.json").read_text())
    spoken, said = read_rule_labels(data / "label/rule_labels.parquet")
    known = json.loads((data / "finetune/model.json").read_text())["classes"]
    named = {"accuracy": metrics["accuracy"], "labels alone": metrics["control_accuracy"]}
    print(f"  {metrics['shipped']}", file=sys.stderr)
    if spoken:
        from components.datasets.manifest import positions_of, read_manifest

        truth = np.array([known.index(str(name)) for name in reveal(data / "ingest/oracle.parquet", spoken)])
        train = len(positions_of(read_manifest(data / "ingest/manifest.parquet"), "train"))
        named |= {"coverage": len(spoken) / train, "rules right": float((said.argmax(1) == truth).mean())}
    return {name: round(value, 4) for name, value in named.items()}


if __name__ == "__main__":
    main()
