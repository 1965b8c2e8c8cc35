"""Validation folds carved out of the labels: stratified by class, near-duplicates together."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.core.seeds import numpy_generator

NEVER = -1  # held out by no fold


def assign_folds(
    classes: npt.NDArray[np.int64], groups: Sequence[str], *, folds: int, seed: int, whole: bool = False
) -> npt.NDArray[np.int64]:
    """`(L,)` fold of each label, 0 to at most `folds - 1`, or -1 for a label that is never held out.

    classes: `(L,)` class numbers; groups: labels of one near-duplicate group share a fold. A class's groups go to
    different folds as far as there are folds, so holding one fold out never takes a class away. A class with a single
    group is never held out; with fewer than two classes that can be, or fewer than two folds, nothing is.
    whole: groups are of several classes each, as speakers are, so each is dealt as one, the largest first, to the fold
    with the fewest labels so far; a class of which all labels would be held out at once is not held out then.
    """
    if whole:
        return _whole(classes, groups, folds, seed)
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


def _whole(classes: npt.NDArray[np.int64], groups: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    names, numbers, counts = np.unique(np.array(groups, object), return_inverse=True, return_counts=True)
    drawn = numpy_generator(seed, "folds").permutation(len(names))
    sizes, fold_of = np.zeros(max(1, min(folds, len(names))), np.int64), np.zeros(len(names), np.int64)
    for group in sorted(range(len(names)), key=lambda group: (-counts[group], drawn[group])):
        fold_of[group] = sizes.argmin()
        sizes[fold_of[group]] += counts[group]
    found = fold_of[numbers]
    alone = [number for number in np.unique(classes) if len(np.unique(found[classes == number])) < 2]
    held = ~np.isin(classes, alone)
    if folds < 2 or len(np.unique(classes[held])) < 2:
        held[:] = False
    return np.where(held, found, NEVER)
