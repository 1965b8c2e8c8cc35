"""Folder names that mean something, and those that nearly do: a near miss is never a class without a word."""

import re
from difflib import SequenceMatcher

from components.datasets.names import normal
from components.datasets.sources import Split

UNLABELED = "unlabeled"
SPLITS: dict[str, Split] = {"train": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}

_SPLIT_WORDS = (
    "train|training|test|testing|val|valid|validation|validate|validating|eval|evaluation|dev|devel|development"
)
_LIKE_SPLIT = re.compile(
    rf"(my|the|images?|imgs?|pictures?|photos?|data)?(({_SPLIT_WORDS})+|holdout|heldout)(s|sets?|data|dataset|split|images?|imgs?|pictures?|photos?)?\d*"
)
_NO_LABEL = re.compile(
    r"(un|no|not|non|without|to|tobe|needs?)(label|lable|class|annotat|sort|tag|assign|categor|identif)|unkn?own"
    r"|(undefined|unspecified|undetermined|labelless|labelme|unlab|unlbl|unl|unk|unsup|unsupervised)\d*$"
)
_ALIKE = 0.9  # of the letters of `unlabeled`; `labeled` has fewer
_MISSING = {"na", "nan", "nat", "nil", "none", "null"}  # what programs write where there is nothing
_DOUBTFUL = {
    *("other", "others", "misc", "miscellaneous", "none", "nothing", "na", "nan", "null", "background", "rest"),
    *("labels", "annotations", "masks", "groundtruth", "gt"),
    *("todo", "pending", "inbox", "pool", "raw", "new", "unsure", "undecided", "unmarked", "noname"),
    *("images", "pictures", "photos"),
}


def split_of(name: str) -> Split | None:
    """The split that a folder of this name is, in whatever case."""
    return SPLITS.get(normal(name).casefold())


def is_unlabeled(name: str) -> bool:
    """Whether a folder of this name holds pictures without a class."""
    return normal(name).casefold() == UNLABELED


def near_miss(name: str) -> str:
    """What a person probably meant by a folder of this name: `unlabeled`, or `train` or `test`; else nothing."""
    letters = re.sub(r"[\W_]+", "", normal(name).casefold())
    if _NO_LABEL.match(letters) or SequenceMatcher(None, letters, UNLABELED).ratio() >= _ALIKE:
        return f"'{UNLABELED}'"
    if letters in SPLITS or _LIKE_SPLIT.fullmatch(letters):
        return "'train'" if letters.startswith(("train", "mytrain", "thetrain")) else "'test'"
    return ""


def is_doubtful(name: str) -> bool:
    """Whether a folder of this name may well be no class, though it often is one; one without a letter may."""
    letters = re.sub(r"[\W_]+", "", normal(name).casefold())
    return not letters or letters in _DOUBTFUL


def may_be_missing(name: str) -> bool:
    """Whether a table's cell of this name may say that there is no class, though it may be a class: NULL, n/a, ?."""
    letters = re.sub(r"[\W_]+", "", normal(name).casefold())
    return not letters or letters in _MISSING or name == "\\N" or bool(_NO_LABEL.match(letters))
