"""Validation folds carved out of the labels: stratified by class, near-duplicates together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator

NEVER = -1  # held out by no fold


def assign_folds(
    classes: npt.NDArray[np.int64], groups: Sequence[str], *, folds: int, seed: int
) -> npt.NDArray[np.int64]:
    """`(L,)` fold of each label, 0 to at most `folds - 1`, or -1 for a label that is never held out.

    classes: `(L,)` class numbers; groups: labels of one near-duplicate group share a fold. A class's groups go to
    different folds as far as there are folds, so holding one fold out never takes a class away. A class with a single
    group is never held out; with fewer than two classes that can be, or fewer than two folds, nothing is.
    """
    units: dict[int, list[str]] = {}
    home: dict[str, int] = {}
    for number, group in zip(classes.tolist(), groups, strict=True):
        if group not in home:
            home[group] = number
            units.setdefault(number, []).append(group)
    splittable = sorted(number for number, members in units.items() if len(members) > 1)
    fold_of: dict[str, int] = {}
    if len(splittable) > 1 and folds > 1:
        generator, dealt = numpy_generator(seed, "folds"), 0
        for number in splittable:
            members = sorted(units[number])
            for position in generator.permutation(len(members)).tolist():
                fold_of[members[position]] = dealt % folds
                dealt += 1
    return np.array([fold_of.get(group, NEVER) for group in groups], np.int64)
