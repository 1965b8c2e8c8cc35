"""The picture of a version's lineage: what `winnow lineage VERSION` knows, as a page to look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.core.files import write_text
from components.core.terminal import one_line, short
from components.pages.lineage import DECIDED, GIVEN, MADE, RAN, REUSED, UNKNOWN, Node, render

RESULTS = Path("data/lineage")
LEFT_OUT = "code"  # a stage that all others stand on
LAST = "register"
_KINDS = {"ran": RAN, "reused": REUSED}
_SAID = 120  # characters of a node's words
Facts = dict[str, Any]


def write_page(facts: Facts, rows: list[tuple[str, str]]) -> Path:
    """Write it for the facts of `of_version`; rows: of the table below the picture. Returns where it is."""
    path = RESULTS / f"{facts['version']}.html"
    decided = [(f"decision {number}", said) for number, said in enumerate(facts["decisions"], 1)]
    plain = [(name, one_line(text)) for name, text in [*rows, *decided]]
    write_text(path, render(f"{facts['name']} version {facts['version']}", list(nodes(facts)), plain))
    return path


def nodes(facts: Facts) -> Iterator[Node]:
    """Inputs, stages, the version and its decisions, each after what it came from."""
    stages = [one for one in facts["stages"] if one["stage"] != LEFT_OUT]
    used = {name for one in stages for name in one["made_from"]}
    known = set()
    for name, digest in facts["given"].items():
        if name in used:
            known.add(name)
            yield Node(name, GIVEN, f"md5 {digest}")
    for one in _before_register(stages):
        known.add(one["stage"])
        needs = tuple(name for name in one["made_from"] if name in known)
        yield Node(one["stage"], _KINDS.get(one["how"], UNKNOWN), _how(one), needs)
    name = f"version {facts['version']}"
    aliases = f" ({', '.join(facts['aliases'])})" if facts["aliases"] else ""
    told = f"sha256 {facts['model_sha256'][:16]}, registered {facts['registered']}{aliases}"
    yield Node(name, MADE, short(told, _SAID), (LAST,) if LAST in known else ())
    before = name
    for number, said in enumerate(facts["decisions"], 1):
        here = f"decision {number}"
        yield Node(here, DECIDED, short(said, _SAID), (before,))
        before = here


def _before_register(stages: list[Facts]) -> list[Facts]:
    """All but what comes after the version: what reads that stage's output."""
    after = {LAST}
    for one in stages:
        if after & set(one["made_from"]):
            after.add(one["stage"])
    return [one for one in stages if one["stage"] not in after - {LAST}]


def _how(one: Facts) -> str:
    if "started" not in one:
        return str(one["how"])
    run = f"run {one['run_id'][:8]}, {one['started']}"
    if one["how"] == "reused":
        return f"reused, {run}" + (f", of pipeline run {one['pipeline_run'][:8]}" if one["pipeline_run"] else "")
    return f"{one['how']}, {run}"
