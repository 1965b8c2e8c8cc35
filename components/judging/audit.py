"""Augmentation audit: which changes of a picture its label does not survive, measured on the labels one may look at.

A labeled picture is changed, and a frozen encoder places it among the others. If its nearest neighbor is then of
another class more often than before, the change is not for this task: color jitter where color is the class, flips
where digits are. An encoder that never saw the change may look the same, so it is measured again with the others
changed too: what is lost even then, no training brings back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from components.core import seeds
from components.core.progress import bar
from components.judging.metrics import Interval, Metric, bootstrap
from components.modalities import Level
from components.modalities.views import Views
from components.models.at_once import at_once, looked_at
from components.models.encoders import Encoder

DRAWS = 4  # changed versions of each picture; of large ones fewer
FEWEST = 48  # pictures, of large ones, that are looked at
TOLERANCE = 0.05  # share of pictures that may go to another class
PREFERENCE = 0.05  # by how much pixels must be better than the encoder to be looked at in its place
LEAST_CLASSES, LEAST_PER_CLASS = 2, 2
BATCH = 256
SHOWN = 6

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Audited:
    """What one level did, in shares of the labeled pictures that are right: 0 or above is no harm, -1 the worst.

    seen: the changed picture among unchanged ones; learned: among changed ones; shown: a few changed samples as
    records `(M, *shape)`, of as many classes as there are.
    """

    augmentation: str
    level: Level
    seen: Interval
    learned: Interval
    shown: Array

    @property
    def verdict(self) -> str:
        """`destroys`: its label is clearly lost; `misleads`: it clearly looks like another class to this encoder.

        `unsure`: more may be lost than TOLERANCE, or less, so few labels cannot tell; else `fits`.
        """
        if self.learned.high < -TOLERANCE:
            return "destroys"
        if self.seen.high < -TOLERANCE:
            return "misleads"
        return "unsure" if min(self.learned.value, self.seen.value) < -TOLERANCE else "fits"

    @property
    def refused(self) -> bool:
        """Whether more is lost than TOLERANCE, beyond doubt."""
        return self.verdict in ("destroys", "misleads")


@dataclass(frozen=True)
class Audit:
    """space: `encoder`, or `pixels` where these tell the labels apart better; accuracy: of unchanged pictures."""

    space: str
    pictures: int
    accuracy: float
    findings: list[Audited]

    @property
    def forbidden(self) -> list[str]:
        """Augmentations of which even the mildest level is refused."""
        mildest = {finding.augmentation: finding for finding in reversed(self.findings)}
        return [name for name, finding in reversed(mildest.items()) if finding.refused]

    @property
    def recommended(self) -> dict[str, Any]:
        """The settings of a policy with the strongest level of each augmentation up to which all fit."""
        return {name: value for level in self._strongest().values() for name, value in level.setting.items()}

    def conflicts(self, policies: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Policy and forbidden augmentation, wherever a policy uses one."""
        mildest = {finding.augmentation: finding.level for finding in reversed(self.findings)}
        settings = {name: next(iter(mildest[name].setting)) for name in self.forbidden}
        return [
            (policy, name)
            for policy, values in policies.items()
            for name, setting in settings.items()
            if getattr(values, setting) != getattr(type(values)(), setting)
        ]

    def _strongest(self) -> dict[str, Level]:
        fits: dict[str, Level] = {}
        out: set[str] = set()
        for finding in self.findings:
            if finding.verdict != "fits":
                out.add(finding.augmentation)
            elif finding.augmentation not in out:
                fits[finding.augmentation] = finding.level
        return fits


def audit_augmentations(
    encoder: Encoder,
    records: Array,
    classes: npt.NDArray[np.int64],
    views: Views,
    *,
    seed: int,
    resamples: int = 1000,
) -> Audit | None:
    """Audit every level of the kind's ladder on labeled records of classes `(N,)`; None if there are too few or none.

    Of large records the first few alone, each changed fewer times: see `audited_at_once`. views: for the kind of data
    and its statistics. The encoder is left in evaluation mode.
    """
    pictures, most = audited_at_once(encoder.shape, len(classes))
    records, classes = records[:pictures], classes[:pictures]
    counts = np.bincount(classes)
    modality = views.modality
    if (counts >= LEAST_PER_CLASS).sum() < LEAST_CLASSES or not modality.ladder:
        return None
    answers = torch.from_numpy(classes)
    spaces = {"encoder": _by_encoder(encoder)} | ({"pixels": _by_pixels} if modality.gives == "pixels" else {})
    unchanged = _changed({}, records, views, [seed])
    plain = {name: _vectors(space, unchanged) for name, space in spaces.items()}
    right = {name: _right(vectors, vectors, answers) for name, vectors in plain.items()}
    better = "pixels" in right and right["pixels"].mean() > right["encoder"].mean() + PREFERENCE
    name = "pixels" if better else "encoder"
    some = np.unique(classes, return_index=True)[1][:SHOWN]
    findings = []
    ladder = modality.ladder.items()
    for augmentation, levels in bar(ladder, total=len(ladder), label="audit", unit=" augmentations"):
        for number, level in enumerate(levels):
            draws = [seeds.derive(seed, "audit", augmentation, number, i) for i in range(most if level.chance else 1)]
            made = _changed(level.always, records, views, draws)
            changed = _vectors(spaces[name], made)
            seen, learned = (
                _interval(_right(changed, others, answers) - right[name], resamples, seed)
                for others in (plain[name], changed)
            )
            shown = views.restore(made[0, torch.from_numpy(some)])
            findings.append(Audited(augmentation, level, seen, learned, shown))
    return Audit(name, len(records), float(right[name].mean()), findings)


def audited_at_once(shape: tuple[int, ...], labels: int) -> tuple[int, int]:
    """How many of so many labeled samples, each of `shape`, are looked at, and how many changed versions of each."""
    pictures = looked_at(shape, labels, FEWEST)
    return pictures, max(1, looked_at(shape, pictures * DRAWS, FEWEST) // max(pictures, 1))


def _interval(gain: npt.NDArray[np.float64], resamples: int, seed: int) -> Interval:
    return bootstrap(Metric(gain[:, None], lambda means: means[..., 0]), resamples=resamples, seed=seed)


def _changed(settings: dict[str, Any], records: Array, views: Views, draws: Sequence[int]) -> Tensor:
    """`(R, N, *shape)`: every sample under each of R draws of the policy with these settings."""
    look, keys = views.modality.view(views.modality.Policy(**settings), views.statistics), np.arange(len(records))
    return torch.stack([look(torch.from_numpy(np.asarray(records)), keys, draw) for draw in draws])


def _vectors(space: Callable[[Tensor], Tensor], views: Tensor) -> Tensor:
    """`(R, N, D)` of length 1."""
    with torch.inference_mode():
        parts = [space(part) for part in torch.split(views.flatten(0, 1), BATCH)]
    return F.normalize(torch.cat(parts).float().cpu(), dim=1).view(*views.shape[:2], -1)


def _by_encoder(encoder: Encoder) -> Callable[[Tensor], Tensor]:
    encoder.eval()
    device, most = next(encoder.parameters()).device, at_once(encoder)

    def space(views: Tensor) -> Tensor:
        return torch.cat([encoder(part.to(device)) for part in torch.split(views, most)])

    return space


def _by_pixels(views: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(views, 8).flatten(1)


def _right(queries: Tensor, others: Tensor, classes: Tensor) -> npt.NDArray[np.float64]:
    """`(N,)` shares of a picture's R queries `(R, N, D)` whose nearest of others `(M, N, D)` is of its class."""
    count = len(classes)
    similarities = torch.einsum("rnd,mkd->rnmk", queries, others)
    similarities.masked_fill_(torch.eye(count, dtype=torch.bool)[:, None], -2.0)
    nearest = similarities.flatten(2).argmax(2) % count  # (R, N)
    share: npt.NDArray[np.float64] = (classes[nearest] == classes).double().mean(0).numpy()
    return share


def as_records(result: Audit, views: Views) -> dict[str, Any]:
    """The audit as JSON holds it, with what it says of the policies."""
    return {
        "space": result.space,
        "pictures": result.pictures,
        "accuracy": result.accuracy,
        "tolerance": TOLERANCE,
        "forbidden": result.forbidden,
        "conflicts": result.conflicts(views.policies),
        "recommended": result.recommended,
        "levels": [
            {
                "augmentation": finding.augmentation,
                "change": views.modality.describe(views.modality.Policy(**finding.level.always)),
                "setting": finding.level.setting,
                "seen": [finding.seen.value, finding.seen.low, finding.seen.high],
                "learned": [finding.learned.value, finding.learned.low, finding.learned.high],
                "verdict": finding.verdict,
                "refused": finding.refused,
            }
            for finding in result.findings
        ],
    }
