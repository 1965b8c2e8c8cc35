"""A sample's id: the first 16 hex digits of its content's sha256, unless a spreadsheet would take them for a number."""

import re

import pandas as pd

LENGTH = 16
_NUMBER = re.compile(r"[0-9]+(e[0-9]+)?")
_LETTERS = "abcdf"


def identity_of(sha256: str) -> str:
    """The id by the content's sha256 (64 hex digits).

    Digits alone, or with one `e` among them, would come back from a spreadsheet as 1.23457E+15: there the last digit
    is a letter, which the hash's next digit chooses; so the id keeps its place in the order of all ids.
    """
    plain = sha256[:LENGTH]
    return plain[:-1] + _LETTERS[int(sha256[LENGTH], 16) % len(_LETTERS)] if _NUMBER.fullmatch(plain) else plain


def earlier_ids(samples: pd.DataFrame) -> dict[str, str]:
    """Of the samples (`id`, `sha256`) that once had another id, the ids by those earlier ones."""
    plain = samples["sha256"].str[:LENGTH]
    changed = (plain != samples["id"]) & plain.map(lambda one: bool(_NUMBER.fullmatch(one))).astype(bool)
    return dict(zip(plain[changed], samples["id"][changed], strict=True))


def mangled(identity: str) -> bool:
    """Whether an id that is of no sample looks like what a spreadsheet makes of one: a number, or too few digits."""
    number = re.fullmatch(r"[0-9]+([.,][0-9]+)?(e[+-]?[0-9]+)?", identity, re.IGNORECASE)
    return bool(number) and not re.fullmatch(r"[0-9a-f]{16}", identity)
