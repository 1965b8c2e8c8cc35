"""The guard's decisions over many draws of labels on fixed vectors, with and without `finetune.guard_third`.

`python -m benchmarks.guard_replay --root FOLDER --home FOLDER` (`--worlds`, `--labels`, `--seeds`, `--labelers` choose;
`--save` keeps the figures for docs/methods.md). Candidates are heads on labels and pseudo-labels, these made by label
propagation over vectors (`spread`), by the control itself (`own`), and by propagation over simple features (`plain`),
which no method of Winnow does: the third opinion speaks of its own labels there, as the second does of `spread`'s.
Better and worse: on test samples, of which there are few on digits (507) and scenes (480), so that a picture or two
decides some; beyond chance: by McNemar's test, p < .05.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._pipeline import keep
from benchmarks._replayed import Draw, Frozen, Replayed, replayed
from benchmarks._worlds import world
from benchmarks.self_supervised import RESULTS
from components.core import seeds
from components.judging.guard import Answers, judge
from components.judging.metrics import mcnemar
from components.training.label_task import COMPARED

PATH = RESULTS / "guard_replay.json"
NAMES = {"digits": "digits", "fashion": "Fashion-MNIST", "scenes": "scenes", "texts": "AG News"}
OPINIONS = {"two": "two opinions", "three": "three opinions"}


def main() -> None:
    """Replay what the command line asks for; a line of JSON for each data set and labeler."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard_replay", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps vectors and draws")
    parser.add_argument("--worlds", type=lambda text: text.split(","), default=list(NAMES))
    parser.add_argument("--labelers", type=lambda text: text.split(","), default=["spread", "own", "plain"])
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=[20, 40, 100])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    for name in asked.worlds:
        frozen = Frozen(world(name, asked.root, asked.home / "worlds"))
        for labeler in asked.labelers:
            if labeler == "plain" and frozen.plain_graph is None:
                continue
            draws = [Draw(labels, seed, labeler=labeler) for labels in asked.labels for seed in range(asked.seeds)]
            figures = summed([decided(frozen, replayed(frozen, draw, asked.home / "kept")) for draw in draws])
            print(json.dumps({f"{name}/{labeler}": figures}), flush=True)
            if asked.save:
                keep(PATH, [name, labeler], figures)


def decided(frozen: Frozen, run: Replayed) -> dict[str, Any]:
    """`gain` of the candidate on test samples, `clear`: beyond chance; by opinions, whether it ships."""
    right = run.test.argmax(axis=2) == frozen.classes[frozen.test]
    gain, p = float(right[0].mean() - right[1].mean()), mcnemar(right[0], right[1])
    found: dict[str, Any] = {"gain": gain, "clear": p < 0.05}
    if not run.accepted.any():
        return found | dict.fromkeys(OPINIONS, False)
    out = run.out.argmax(axis=2)
    held = Answers(out[0], out[1], run.actual[run.held])
    some = seeds.numpy_generator(0, "pool").permutation(len(run.pool))[:COMPARED]
    said = run.said.argmax(axis=2)[:, some]
    near, plain = (Answers(said[0], said[1], expected[some]) for expected in (run.spread, run.plain))
    third = plain if (run.plain >= 0).all() else None
    ships = {"two": judge(held, near), "three": judge(held, near, third, third=True)}
    return found | {name: verdict.shipped == "pseudo_labels" for name, verdict in ships.items()}


def summed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts over the draws, by opinions: better ones held back, worse ones shipped, of these those beyond chance."""
    gains, clear = np.array([run["gain"] for run in runs]), np.array([run["clear"] for run in runs])
    figures: dict[str, Any] = {
        "draws": len(runs),
        "better": int((gains > 0).sum()),
        "worse": int((gains < 0).sum()),
        "gain_always": round(float(gains.mean()), 5),
    }
    for name in OPINIONS:
        ships = np.array([run[name] for run in runs])
        back, out = ~ships & (gains > 0), ships & (gains < 0)
        figures[name] = {
            "held_back": int(back.sum()),
            "held_back_clear": int((back & clear).sum()),
            "worse_shipped": int(out.sum()),
            "worse_shipped_clear": int((out & clear).sum()),
            "gain": round(float((gains * ships).mean()), 5),
        }
    return figures


def table(kept: dict[str, Any]) -> list[str]:
    """Lines of Markdown."""
    columns = "data | pseudo-labels by | draws | better | worse | opinions | better held back (beyond chance)"
    lines = [f"| {columns} | worse shipped (beyond chance) | gain, points | if always |", "|---" * 10 + "|"]
    rows = [(name, labeler, row) for name in NAMES for labeler, row in kept.get(name, {}).items()]
    for name, labeler, row in rows:
        for key, title in OPINIONS.items():
            one = row[key]
            back = f"{one['held_back']} ({one['held_back_clear']})"
            out = f"{one['worse_shipped']} ({one['worse_shipped_clear']})"
            gains = [f"{100 * gain:+.2f}" for gain in (one["gain"], row["gain_always"])]
            counts = [str(row[count]) for count in ("draws", "better", "worse")]
            lines.append(f"| {' | '.join([NAMES[name], labeler, *counts, title, back, out, *gains])} |")
    return lines


if __name__ == "__main__":
    main()
