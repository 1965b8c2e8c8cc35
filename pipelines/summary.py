"""What a run came to, on one screen: labels, accuracy, what shipped and why, the model's version, where to look."""

import csv
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import Any

from components.core.config import block, read_params
from components.core.errors import WinnowError
from components.core.files import read_json
from components.core.model_versions import CANDIDATE, CHALLENGER, CHAMPION, versions

COLUMNS = 110
PAGES = {
    "report": Path("data/report/report.html"),
    "what to label next": Path("data/select/gallery.html"),
    "augmentations": Path("data/augment/preview.png"),
    "data checks": Path("data/validate/docs/index.html"),
}
ROLES = {CHAMPION: "serves", CANDIDATE: "waits for a person's yes", CHALLENGER: "is the newest"}


def summarize(seconds: float | None = None) -> str:
    """The lines, aligned. Raises WinnowError where no run has come to its end yet."""
    lines = rows(seconds)
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join(
        textwrap.fill(f"{name:<{width}}{text}", COLUMNS, subsequent_indent=" " * width) for name, text in lines
    )


def rows(seconds: float | None = None) -> list[tuple[str, str]]:
    """What there is to say, as (name, text). Raises WinnowError where no run has come to its end yet."""
    metrics = _read(Path("data/evaluate/metrics.json"))
    version = _read(Path("data/register/version.json"))
    guard, second = (_read(Path("data/finetune", name)) for name in ("guard.json", "second_control.json"))
    found = [
        ("labels used", f"{metrics['labels_used']}, validation included"),
        *_rules(Path("data/label/rule_figures.csv")),
        ("more labels", _more_labels(block(read_params(), "label"), metrics["labels_used"])),
        ("test accuracy", _accuracy(metrics)),
        *_bought(version.get("bought")),
        ("label-only control", f"{metrics['control_accuracy']:.4f}"),
        *_simple(metrics.get("baselines")),
        ("shipped", guard["why"]),
        *([("second control", second["why"])] if second["why"] not in ("", guard["why"]) else []),
        ("model", _model(version)),
        ("gate", f"{'passed' if version['gate']['passed'] else 'not passed'}: {version['gate']['why']}"),
        *_approval(version.get("approval", {})),
        *[(name, str(path)) for name, path in PAGES.items() if path.exists()],
        ("runs and models", "make ui"),
    ]
    return found if seconds is None else [*found, ("time", f"{seconds:.0f} s")]


def _rules(figures: Path) -> list[tuple[str, str]]:
    """How many there are, how many match nothing, how often labels say they are right; nothing where there are none."""
    if not figures.is_file():  # a run from before there were rules
        return []
    with figures.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    if not found:
        return []
    idle = sum(row["matches"] == "0" for row in found)
    labeled, right = (sum(int(row[name]) for row in found) for name in ("labeled", "right"))
    said = f"{len(found)} in data/labels/rules.csv, {idle} of them without a match"
    return [("rules", f"{said}; right {right} of {labeled} times on labels" if labeled else said)]


def _more_labels(label: dict[str, Any], used: int) -> str:
    """Where people's labels go, which always count, and what bounds those that the data came with."""
    budget = label.get("budget")
    beyond = f" above {used}" if budget is not None and used > budget else ""
    source = (
        "all that the data came with are used" if budget is None else f"or raise label.budget{beyond} (now {budget})"
    )
    return f"`winnow label` asks for them; {source}"


def _accuracy(metrics: dict[str, Any]) -> str:
    low, high = metrics["accuracy_low"], metrics["accuracy_high"]
    return f"{metrics['accuracy']:.4f} ({low:.4f} to {high:.4f}) on {metrics['test_samples']} test samples"


def _bought(round_: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What came of the labels since the version before; nothing for the first one."""
    if not round_:
        return []
    was = round_["before"]
    spent = f"{round_['labels']} {'label' if round_['labels'] == 1 else 'labels'} since version {round_['version']}"
    then = f"which had {was['accuracy']:.4f} ({was['accuracy_low']:.4f} to {was['accuracy_high']:.4f})"
    if round_["difference"] is not None:
        means = f"difference {round_['difference']:+.4f}, paired {round_['low']:+.4f} to {round_['high']:+.4f}"
    else:
        means = f"on {'the same' if round_['same_test'] else 'other'} test samples"
    return [("the round", f"{spent}, {then}: {means}")]


def _simple(beside: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What the accuracy has to beat, and a sentence where it does not; nothing in figures from before there was it."""
    if beside is None:
        return []
    means = [f"{name} {row['accuracy']:.4f}" for name, row in beside["rows"].items()]
    return [
        ("to beat", ", ".join([f"chance {beside['chance']:.4f}", *means])),
        *([("not beaten", beside["why"])] if beside["why"] else []),
    ]


def _model(version: dict[str, Any]) -> str:
    """Name, number and the aliases it has now, which a promotion by hand may have moved."""
    now = {item.number: item.aliases for item in versions(version["name"])}
    aliases = now.get(version["version"], ())
    serving = next((number for number, names in now.items() if "champion" in names), None)
    other = f"; version {serving} serves" if serving not in (None, version["version"]) else ""
    return f"{version['name']} version {version['version']}: {role(aliases) or 'replaced by a newer one'}{other}"


def _approval(approval: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person said, or can say, where the gate asks one."""
    if not approval:
        return []
    said = approval["said"]
    text = f"{said['what']} by {said['by']}: {said['why']}" if said else approval["waits"] or "not asked for"
    return [("approval", text)]


def role(aliases: Collection[str]) -> str:
    """What a version's aliases in the registry mean, the one that serves first."""
    said = [f"{meaning} ({alias})" for alias, meaning in ROLES.items() if alias in aliases]
    others = sorted(set(aliases) - set(ROLES))
    return ", ".join([" and ".join(said), *others]).removeprefix(", ")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WinnowError(f"{path} is not there yet: run `winnow repro` first.")
    return read_json(path)
