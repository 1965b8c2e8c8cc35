"""Augmentation audit: which changes of a picture its label does not survive, measured on the labels one may look at.

A labeled picture is changed, and a frozen encoder places it among the others. If its nearest neighbor is then of
another class more often than before, the change is not for this task: color jitter where color is the class, flips
where digits are. An encoder that never saw the change may look the same, so it is measured again with the others
changed too: what is lost even then, no training brings back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from components.core import seeds
from components.judging.metrics import Interval, Metric, bootstrap
from components.modalities.image.augment import Augment
from components.modalities.image.mosaic import pixels_of
from components.modalities.image.policy import Policies, Policy
from components.modalities.image.preview import describe
from components.models.encoders import Encoder

DRAWS = 4  # changed versions of each picture
TOLERANCE = 0.05  # share of pictures that may go to another class
PREFERENCE = 0.05  # by how much pixels must be better than the encoder to be looked at in its place
LEAST_CLASSES, LEAST_PER_CLASS = 2, 2
BATCH = 256
SHOWN = 6

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Level:
    """One strength of one augmentation: `always` as it is audited, `advised` as it goes into a policy."""

    always: dict[str, Any]
    advised: dict[str, Any] = field(default_factory=dict)
    chance: bool = True  # False: two draws are the same

    @property
    def setting(self) -> dict[str, Any]:
        """What a policy says that uses it."""
        return self.advised or self.always


def _color(name: str, *strengths: float) -> list[Level]:
    return [Level({name: strength, "color_probability": 1.0}, {name: strength}) for strength in strengths]


LADDER: dict[str, list[Level]] = {  # from mild to strong
    "crop": [Level({"crop": (least, 1.0)}) for least in (0.8, 0.6, 0.4, 0.2)],
    "flip": [Level({"flip": 1.0}, {"flip": 0.5}, chance=False)],
    "vertical flip": [Level({"vertical_flip": 1.0}, {"vertical_flip": 0.5}, chance=False)],
    "rotation": [Level({"rotate": degrees}) for degrees in (15.0, 45.0, 180.0)],
    "translation": [Level({"translate": share}) for share in (0.1, 0.25)],
    "brightness": _color("brightness", 0.4, 0.8),
    "contrast": _color("contrast", 0.4, 0.8),
    "saturation": _color("saturation", 0.4, 0.8),
    "hue": _color("hue", 0.1, 0.5),
    "grayscale": [Level({"grayscale": 1.0}, {"grayscale": 0.2}, chance=False)],
    "blur": [
        Level({"blur": 1.0, "blur_sigma": sigma}, {"blur": 0.5, "blur_sigma": sigma})
        for sigma in ((0.1, 1.0), (1.0, 2.0))
    ],
    "cutout": [Level({"cutout": side}) for side in (0.25, 0.5)],
}
OF_COLOR = ("saturation", "hue", "grayscale")  # nothing changes in gray pictures


@dataclass(frozen=True)
class Finding:
    """What one level did, in shares of the labeled pictures that are right: 0 or above is no harm, -1 the worst.

    seen: the changed picture among unchanged ones; learned: among changed ones; shown: a few changed pictures
    `(M, C, S, S)`, of as many classes as there are.
    """

    augmentation: str
    level: Level
    seen: Interval
    learned: Interval
    shown: Pixels

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
    findings: list[Finding]

    @property
    def forbidden(self) -> list[str]:
        """Augmentations of which even the mildest level is refused."""
        mildest = {finding.augmentation: finding for finding in reversed(self.findings)}
        return [name for name in LADDER if name in mildest and mildest[name].refused]

    @property
    def recommended(self) -> dict[str, Any]:
        """The settings of a policy with the strongest level of each augmentation up to which all fit."""
        return {name: value for level in self._strongest().values() for name, value in level.setting.items()}

    def conflicts(self, policies: Mapping[str, Policy]) -> list[tuple[str, str]]:
        """Policy and forbidden augmentation, wherever a policy uses one."""
        settings = {name: next(iter(LADDER[name][0].setting)) for name in self.forbidden}
        return [
            (policy, name)
            for policy, values in policies.items()
            for name, setting in settings.items()
            if getattr(values, setting) != getattr(Policy(), setting)
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
    pictures: Pixels,
    classes: npt.NDArray[np.int64],
    policies: Policies,
    *,
    seed: int,
    resamples: int = 1000,
) -> Audit | None:
    """Audit every level of LADDER on labeled pictures `(N, C, S, S)` of classes `(N,)`; None if there are too few.

    policies: for the channels' mean and deviation. The encoder is left in evaluation mode. Levels that change nothing
    in gray pictures are left out.
    """
    counts = np.bincount(classes)
    if (counts >= LEAST_PER_CLASS).sum() < LEAST_CLASSES:
        return None
    answers = torch.from_numpy(classes)
    spaces = {"encoder": _by_encoder(encoder), "pixels": _by_pixels}
    unchanged = _views(Policy(), pictures, policies, [seed])
    plain = {name: _vectors(space, unchanged) for name, space in spaces.items()}
    right = {name: _right(vectors, vectors, answers) for name, vectors in plain.items()}
    better = right["pixels"].mean() > right["encoder"].mean() + PREFERENCE
    name = "pixels" if better else "encoder"
    some = np.unique(classes, return_index=True)[1][:SHOWN]
    findings = []
    for augmentation, levels in LADDER.items():
        if augmentation in OF_COLOR and pictures.shape[1] == 1:
            continue
        for number, level in enumerate(levels):
            draws = [seeds.derive(seed, "audit", augmentation, number, i) for i in range(DRAWS if level.chance else 1)]
            views = _views(Policy(**level.always), pictures, policies, draws)
            changed = _vectors(spaces[name], views)
            seen, learned = (
                _interval(_right(changed, others, answers) - right[name], resamples, seed)
                for others in (plain[name], changed)
            )
            shown = pixels_of(views[0, torch.from_numpy(some)], policies.mean, policies.std)
            findings.append(Finding(augmentation, level, seen, learned, shown))
    return Audit(name, len(pictures), float(right[name].mean()), findings)


def _interval(gain: npt.NDArray[np.float64], resamples: int, seed: int) -> Interval:
    return bootstrap(Metric(gain[:, None], lambda means: means[..., 0]), resamples=resamples, seed=seed)


def _views(policy: Policy, pictures: Pixels, policies: Policies, draws: Sequence[int]) -> Tensor:
    """`(R, N, C, S, S)`: every picture under each of R draws."""
    augment, keys = Augment(policy, policies.mean, policies.std), np.arange(len(pictures))
    return torch.stack([augment(torch.from_numpy(np.asarray(pictures)), keys, draw) for draw in draws])


def _vectors(space: Callable[[Tensor], Tensor], views: Tensor) -> Tensor:
    """`(R, N, D)` of length 1."""
    with torch.inference_mode():
        parts = [space(part) for part in torch.split(views.flatten(0, 1), BATCH)]
    return F.normalize(torch.cat(parts).float().cpu(), dim=1).view(*views.shape[:2], -1)


def _by_encoder(encoder: Encoder) -> Callable[[Tensor], Tensor]:
    encoder.eval()
    device = next(encoder.parameters()).device

    def space(views: Tensor) -> Tensor:
        vectors: Tensor = encoder(views.to(device))
        return vectors

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


def as_records(result: Audit, policies: Mapping[str, Policy]) -> dict[str, Any]:
    """The audit as JSON holds it, with what it says of `policies`."""
    return {
        "space": result.space,
        "pictures": result.pictures,
        "accuracy": result.accuracy,
        "tolerance": TOLERANCE,
        "forbidden": result.forbidden,
        "conflicts": result.conflicts(policies),
        "recommended": result.recommended,
        "levels": [
            {
                "augmentation": finding.augmentation,
                "change": describe(Policy(**finding.level.always)),
                "setting": finding.level.setting,
                "seen": [finding.seen.value, finding.seen.low, finding.seen.high],
                "learned": [finding.learned.value, finding.learned.low, finding.learned.high],
                "verdict": finding.verdict,
                "refused": finding.refused,
            }
            for finding in result.findings
        ],
    }
