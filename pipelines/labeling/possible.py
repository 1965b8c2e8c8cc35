"""Which answers of a file can be: about samples that are there as they were, of classes that there are, once each."""

from collections.abc import Iterable
from dataclasses import replace

from components.core.config import did_you_mean
from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.identity import earlier_ids
from components.datasets.ledger import COLUMNS, check
from components.datasets.names import normal
from components.datasets.synthetic import is_synthetic, is_there
from pipelines.labeling.given import Given
from pipelines.labeling.places import SYNTHETIC
from pipelines.labeling.project import Project

FAULTS = {
    "sample": "about samples that are not there",
    "changed": "about samples whose content is another now (by sha256)",
    "class": "of no class there is",
    "several": "with several choices",
    "row": "no row of the ledger",
    "twice": "contradicting another one of the same person at the same time",
}
_NAMED = 3


class Possible:
    """Sifts the answers about samples of one split."""

    def __init__(self, project: Project, split: str) -> None:
        self._classes, self._wanted = frozenset(project.classes), split
        self._splits = dict(zip(project.samples["id"], project.samples["split"], strict=True))
        self._hashes = dict(zip(project.samples["id"], project.samples["sha256"], strict=True))
        self._earlier = earlier_ids(project.samples)

    def sifted(self, given: Iterable[Given], *, whence: str, cure: str) -> tuple[list[Given], int]:
        """The answers, with today's ids; and how many of the other split's samples were left out.

        Raises WinnowError where any cannot be: all kinds of faults with their number, the first ones by place, and
        the cure.
        """
        faults, found, left_out = dict[str, list[str]](), list[Given](), 0
        said = dict[tuple[str, str, str], str]()
        for one in given:
            identity = self._earlier.get(one.row["id"], one.row["id"])
            named = {"id": identity, "label": normal(one.row["label"])}
            one = replace(one, row={**dict.fromkeys(COLUMNS, ""), "source": "person", **one.row, **named})
            kind, detail = self._fault(one)
            whose = (identity, one.row["annotator"], one.row.get("at", ""))
            if not kind and said.setdefault(whose, one.row["label"]) != one.row["label"]:
                kind, detail = "twice", identity
            if kind:
                faults.setdefault(kind, []).append(f"{one.where}: {detail}")
            elif self._splits.get(identity, "train") == self._wanted:
                found.append(one)
            else:
                left_out += 1
        if faults:
            raise WinnowError(f"{whence} has answers that cannot be, so none was taken: {_told(faults)}: {cure}.")
        return found, left_out

    def _fault(self, one: Given) -> tuple[str, str]:
        """Kind and detail of what is wrong with an answer; or twice nothing."""
        identity, label = one.row["id"], one.row["label"]
        if one.row["source"] in ("rule", "oracle"):
            return "row", f"the source '{one.row['source']}' is no person's: leave that column out"
        if identity not in self._splits and not (is_synthetic(identity) and is_there(SYNTHETIC, identity)):
            return "sample", f"'{short(identity)}'"
        if one.sha256 and one.sha256 != self._hashes.get(identity, one.sha256):
            return "changed", f"'{short(identity)}'"
        if label and label not in self._classes:
            parts = [normal(part) for part in label.split(",")]
            if len(parts) > 1 and set(parts) <= self._classes:
                return "several", f"'{short(label)}'"
            return "class", f"'{short(label)}': {did_you_mean(label, sorted(self._classes)).rstrip('.')}"
        try:
            time = check(one.row, one.where)["time"]
        except WinnowError as error:
            return "row", str(error).removeprefix(f"{one.where}, ").rstrip(".")
        if one.row["at"] and time != time:  # nan
            return "row", f"'{short(one.row['at'])}' is no date such as 2026-03-01T10:00:00Z"
        return "", ""


def _told(faults: dict[str, list[str]]) -> str:
    return ", ".join(
        f"{len(places)} {FAULTS[kind]} ({'; '.join(places[:_NAMED])}{'; ...' if len(places) > _NAMED else ''})"
        for kind, places in faults.items()
    )
