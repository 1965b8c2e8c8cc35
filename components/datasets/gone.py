"""Labels of the ledger whose sample is not there: where each one went, in one sentence, with one cure for all."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from components.core.errors import WinnowError
from components.core.terminal import short
from components.datasets.identity import LENGTH, mangled
from components.datasets.quarantine import read_quarantine
from components.datasets.synthetic import is_synthetic, is_there

_NAMED = 2  # of each cause


def gone(rows: pd.DataFrame, ids: Sequence[str], synthetic: Path) -> pd.DataFrame:
    """Those of the rows that name neither a sample nor a made picture that is there, as it was made."""
    made = {one: is_there(synthetic, one) for one in rows["id"].unique() if is_synthetic(one)}
    return rows[~rows["id"].isin([*ids, *(one for one, there in made.items() if there)])]


def refuse_gone(rows: pd.DataFrame, ids: Sequence[str], synthetic: Path, quarantine: Path, ledger: Path) -> None:
    """Raise WinnowError where a row names a sample that is not there; it counts all, by where they went."""
    lost = gone(rows, ids, synthetic).drop_duplicates("id")
    if lost.empty:
        return
    left_out = read_quarantine(quarantine).dropna(subset="id").drop_duplicates("id").set_index("id")
    causes: dict[str, list[str]] = {}
    for row in lost.itertuples():
        cause, detail = _where(str(row.id), left_out, ids)
        causes.setdefault(cause, []).append(f"line {row.line}: {detail}")
    told = [
        f"{len(found)} {cause} ({'; '.join(found[:_NAMED])}{'; ...' if len(found) > _NAMED else ''})"
        for cause, found in causes.items()
    ]
    raise WinnowError(
        f"{ledger} labels {len(lost):,} samples (by id) that are not there: {', '.join(told)}: bring them back, "
        "correct an id that was mistyped, or withdraw these labels, all at once, with `winnow label withdraw --gone`."
    )


def _where(identity: str, left_out: pd.DataFrame, ids: Sequence[str]) -> tuple[str, str]:
    if is_synthetic(identity):
        return "of made pictures gone or changed since (git has them)", f"'{short(identity)}'"
    if identity in left_out.index:
        row = left_out.loc[identity]
        return "left out by ingest", f"{row['path']}: {str(row['reason']).rstrip('.')}"
    if (plain := identity.strip("'\"= ").lower()) in ids:
        return "written otherwise than in the manifest", f"'{short(identity)}', which is {plain}"
    if mangled(identity):
        full = identity.zfill(LENGTH)
        return "changed by a spreadsheet", f"'{short(identity)}'" + (f", which was {full}" if full in ids else "")
    return "in no file of the source", f"'{short(identity)}'"
