"""The page of `winnow lineage`: what a version came from, drawn top to bottom, and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.pages.templates import templates

TEMPLATE = "lineage.html.jinja"
GIVEN, RAN, REUSED, UNKNOWN, MADE, DECIDED = "given", "ran", "reused", "unknown", "made", "decided"
ROW, SPINE, STEP, NEAR = 56, 62, 9, 12  # pixels: of a node's row, of the line of nodes, and how far arcs reach out


@dataclass(frozen=True)
class Node:
    """One part: kind is one of GIVEN (an input), RAN, REUSED, UNKNOWN (a stage), MADE (the version), DECIDED.

    what: said of it in a few words; needs: names of the nodes above that it came from.
    """

    name: str
    kind: str
    what: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arc:
    """A curve as SVG's path, and where it comes from and goes to."""

    path: str
    source: str
    target: str


def render(title: str, nodes: Sequence[Node], facts: Sequence[tuple[str, str]]) -> str:
    """The page as text, nothing loaded from elsewhere. nodes: each after those it needs; facts: rows of a table."""
    page = templates().get_template(TEMPLATE)
    middles = [(node, SPINE, ROW * number + ROW // 2) for number, node in enumerate(nodes)]
    return (
        page.render(
            title=title,
            nodes=middles,
            arcs=arcs(nodes),
            facts=facts,
            row=ROW,
            height=ROW * len(nodes),
            width=SPINE + STEP,
            kinds=[kind for kind in _KINDS if any(node.kind == kind for node in nodes)],
            said=_KINDS,
        )
        + "\n"
    )


def arcs(nodes: Sequence[Node]) -> list[Arc]:
    """A curve to each node from each that it needs and that no other of its needs leads from; longer ones reach out
    farther."""
    place = {node.name: number for number, node in enumerate(nodes)}
    above = _all_above(nodes)
    found = []
    for node in nodes:
        for name in node.needs:
            if any(name in above[other] for other in node.needs if other != name):
                continue
            first, last = (ROW * place[one] + ROW // 2 for one in (name, node.name))
            out = max(SPINE - NEAR - STEP * (place[node.name] - place[name] - 1) / 2, NEAR / 2)
            curve = f"M{SPINE} {first}C{out:g} {first + ROW / 3:g} {out:g} {last - ROW / 3:g} {SPINE} {last}"
            straight = f"M{SPINE} {first}L{SPINE} {last}"
            found.append(Arc(straight if place[node.name] - place[name] == 1 else curve, name, node.name))
    return found


_KINDS: Mapping[str, str] = {
    GIVEN: "given: no stage makes it",
    RAN: "a stage that ran for this version",
    REUSED: "a stage whose outputs an earlier run had made",
    UNKNOWN: "a stage whose run is not known",
    MADE: "the version",
    DECIDED: "what was decided about it",
}


def _all_above(nodes: Sequence[Node]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in nodes:
        found[node.name] = {*node.needs, *(far for name in node.needs for far in found[name])}
    return found
