"""What a campaign will do, checked before anything runs: its strategies, settings, and the folder they stand for."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core import code
from components.core.config import PluginChoice, did_you_mean
from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.plugins import names
from components.core.stage_settings import stage_settings
from pipelines.inline import LABELED, PROJECT, UNLABELED, Params

HOME = Path(".winnow/campaigns")
RANDOM = "random"  # what every strategy is held against
OWN_CODE = (Path("pipelines/campaign/rounds.py"), Path("pipelines/inline.py"))


@dataclass(frozen=True)
class Options:
    """rounds: after the first labels; budget: labels of each round; start: first labels; seeds: how often all of it."""

    rounds: int
    budget: int
    start: int
    seeds: int
    strategies: tuple[str, ...]  # without `random`; empty: the one of params.yaml


@dataclass(frozen=True)
class Arm:
    """A strategy with its options, and its folder's name, which changes with its options and code."""

    choice: PluginChoice
    folder: str

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.choice.name


@dataclass(frozen=True)
class Plan:
    """arms: `random` first; home: where all of it is kept, by settings and code."""

    options: Options
    params: Params
    arms: tuple[Arm, ...]
    home: Path

    @property
    def seeds(self) -> range:
        """The seeds, from the one in params.yaml on."""
        first = int(self.params.get("seed", 0))
        return range(first, first + self.options.seeds)

    @property
    def most_labels(self) -> int:
        """Labels after the last round."""
        return self.labels(self.options.rounds)

    def labels(self, number: int) -> int:
        """Labels after round `number`, the first ones included."""
        return self.options.start + number * self.options.budget

    def folder(self, seed: int, arm: Arm, number: int) -> Path:
        """Where round `number` lies: round 0 is the same for all strategies."""
        place = f"{arm.folder}/round{number}" if number else "start"
        return self.home / f"seed{seed}" / place

    def settings(self, seed: int, number: int = 0, arm: Arm | None = None) -> Params:
        """The settings of one round: the project's, with seed, budget and strategy put in."""
        label = {**self.params["label"], "budget": self.labels(number)}
        select = {**self.params["select"], "budget": self.options.budget}
        if arm is not None:
            select["strategy"] = arm.choice.model_dump()
        return {**self.params, "seed": seed, "label": label, "select": select}


def check_options(options: Options) -> None:
    """What can be said without loading anything. Raises WinnowError for the first option that cannot be."""
    for name in ("rounds", "budget", "start", "seeds"):
        if getattr(options, name) < 1:
            raise WinnowError(f"--{name} is {getattr(options, name)}: it must be 1 or more.")
    if options.start < 2:
        raise WinnowError("--start is 1: a classifier needs labels of two classes, so begin with 2 or more.")
    known = names("query_strategy")
    for strategy in options.strategies:
        if strategy not in known:
            raise WinnowError(f"unknown query strategy '{strategy}': {did_you_mean(strategy, known)}")
        if options.strategies.count(strategy) > 1:
            raise WinnowError(f"--strategy {strategy} is there twice: name each strategy once.")


def make_plan(options: Options, params: Params) -> Plan:
    """Raises WinnowError for what cannot be used together; options and params, those of params.yaml, are checked."""
    from components.stages.label import first_strategy

    arms = _arms(options.strategies, params)
    first_strategy(stage_settings("label", params).first)
    params = _here(params)
    return Plan(options, params, arms, HOME / _key(options, params, _source_digest(params))[:16])


def check_pool(plan: Plan, folder: Path) -> str:
    """See that the source knows enough, once `ingest` has read it into `folder`; returns a warning, or nothing.

    Raises WinnowError for a source without all the truth, or with fewer training samples than labels to be asked for.
    """
    from components.datasets.manifest import read_manifest
    from components.datasets.oracle import read_classes, read_oracle

    manifest = read_manifest(folder / "data/ingest/manifest.parquet", ["id", "split"])
    train = manifest.loc[manifest["split"] == "train", "id"]
    unknown = int((~train.isin(read_oracle(folder / "data/ingest/oracle.parquet")["id"])).sum())
    if unknown:
        raise WinnowError(
            f"the source does not know the class of {unknown} of the {len(train)} training samples: a campaign asks it "
            "about any of them, so name a source (ingest.source) in which all have one."
        )
    if plan.most_labels > len(train):
        raise WinnowError(
            f"{plan.most_labels} labels ({plan.options.start} and {plan.options.rounds} rounds of "
            f"{plan.options.budget}) are more than the {len(train)} training samples: lower --rounds, --budget or "
            "--start."
        )
    classes = len(read_classes(folder / "data/ingest/oracle.parquet"))
    if plan.options.start < classes:
        return f"--start {plan.options.start} cannot hold a label of each of the {classes} classes."
    return ""


def _arms(wanted: Sequence[str], params: Params) -> tuple[Arm, ...]:
    """`random`, then the others; a strategy that params.yaml chooses keeps the options it has there."""
    from components.stages.select import build_strategy
    from pipelines.settings_together import trained_dropout

    chosen = PluginChoice.model_validate(params["select"]["strategy"])
    others = [name for name in wanted or [chosen.name] if name != RANDOM]
    if not others:
        raise WinnowError(f"--strategy {RANDOM} is what the others are held against: name another one.")
    choices = [chosen if name == chosen.name else PluginChoice(name=name) for name in (RANDOM, *others)]
    for choice in choices:
        build_strategy(choice, trained_dropout(params), where="--strategy")
    return tuple(Arm(choice, f"{choice.name}-{_arm_key(params, choice)[:8]}") for choice in choices)


def _here(params: Params) -> Params:
    """One pretraining worker is this process: the same bytes without starting Ray for every seed."""
    block = params["pretrain"]
    if block.get("workers") == 1 and not block.get("ray_address"):
        return {**params, "pretrain": {**block, "workers": 0}}
    return params


def _source_digest(params: Params) -> str:
    """sha256 of the folder that pictures come from; empty for a source whose name says what it holds."""
    from components.datasets.sources import open_source

    block = stage_settings("ingest", params)
    source = open_source(block.source, root=block.root, download=block.download)
    if not source.classes():
        raise WinnowError(
            f"ingest.source '{block.source}' has no ground truth: a campaign asks the source itself, so it needs one "
            "with a folder per class, or a built-in one."
        )
    folder = getattr(source, "folder", None)
    return sha256(folder) if folder is not None else ""


def _weights_digest(params: Params) -> str:
    given = params["pretrain"].get("weights")
    return sha256(Path(given)) if given and Path(given).is_file() else ""


def _key(options: Options, params: Params, source: str) -> str:
    """What decides every figure but the number of rounds and seeds, and the strategy, which has a folder of its own."""
    stages = (*UNLABELED, *LABELED)
    blocks = {name: params[name] for name in stages}
    blocks["label"] = {name: value for name, value in params["label"].items() if name != "budget"}
    facts = {
        "params": {"threads": params.get("threads", 1), **blocks},
        "start": options.start,
        "budget": options.budget,
        "source": source,
        "weights": _weights_digest(params),
        "graph": sha256(PROJECT / "dvc.yaml"),
        "code": _digests([*_code(params, stages), *OWN_CODE]),
    }
    return _sha256(facts)


def _arm_key(params: Params, choice: PluginChoice) -> str:
    block = {"strategy": choice.model_dump()}
    return _sha256({**block, "code": _digests(_code({**params, "select": block}, ("select",)))})


def _code(params: Params, stages: Iterable[str]) -> list[Path]:
    return [path for name in stages for path in code.files(name, params, PROJECT)]


def _digests(paths: list[Path]) -> dict[str, str]:
    return {path.as_posix(): sha256(PROJECT / path) for path in sorted(set(paths))}


def _sha256(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
