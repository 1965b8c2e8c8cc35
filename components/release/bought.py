"""What a round of labels has bought: a version beside the one registered before it."""

from typing import Any

from components.core.model_versions import Version
from components.release.gate import Decision
from components.release.test_set import TAG

FIGURES = ("accuracy", "accuracy_low", "accuracy_high")


def bought(registered: Version, verdict: Decision, every: list[Version]) -> dict[str, Any] | None:
    """The labels and the accuracy (0..1, with its interval) of both; None for the first, or where tags are missing.

    `same_test`: whether both were measured on the same test rows; `difference`, `low`, `high`: paired on today's, where
    the gate has compared the two, else null.
    """
    earlier = max((one for one in every if one.number < registered.number), key=lambda one: one.number, default=None)
    if earlier is None:
        return None
    try:
        before, now = _figures(earlier), _figures(registered)
    except (KeyError, ValueError):  # a version from before there were such tags, or a tag that somebody has edited
        return None
    judged = verdict.against == f"version {earlier.number}"
    paired = (verdict.difference, verdict.low, verdict.high) if judged else (None, None, None)
    return {
        "version": earlier.number,
        "before": before,
        "now": now,
        "labels": now["labels_used"] - before["labels_used"],
        "same_test": bool(registered.tags.get(TAG)) and registered.tags.get(TAG) == earlier.tags.get(TAG),
        **dict(zip(("difference", "low", "high"), paired, strict=True)),
    }


def _figures(version: Version) -> dict[str, Any]:
    shares = {name: float(version.tags[name]) for name in FIGURES}
    return {**shares, **{name: int(float(version.tags[name])) for name in ("labels_used", "test_samples")}}
