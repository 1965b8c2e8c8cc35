"""The audit on pictures whose class is a color, a side, or a number, where what may be done to them is known."""

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from components.judging.audit import DRAWS, Audit, Audited, as_records, audit_augmentations, audited_at_once
from components.judging.metrics import Interval
from components.modalities.image.ladder import LADDER
from components.modalities.image.policy import Policy
from components.modalities.views import Views
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given, views_of

POLICIES = views_of({}, [0.3] * 3, [0.3] * 3)
GRAY = views_of({}, [0.3], [0.3])
COLORS = np.array([[255, 60, 60], [60, 255, 60], [60, 60, 255], [255, 255, 60]])


def _digits(per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Real digits, 32x32 gray, with their numbers."""
    bunch = load_digits()
    rows = np.concatenate([np.flatnonzero(bunch.target == number)[:per_class] for number in range(10)])
    pictures = (bunch.images[rows, None] * 255 / 16).astype(np.uint8)
    return pictures.repeat(4, 2).repeat(4, 3), bunch.target[rows]


def _colored(per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """The same digits in four colors, which are their classes whatever the number."""
    gray, _ = _digits(per_class)
    classes = np.arange(len(gray)) % 4
    return (gray / 255 * COLORS[classes][:, :, None, None]).astype(np.uint8), classes


def _encoder(channels: int) -> SmallResnet:
    torch.manual_seed(0)
    return SmallResnet(given(channels, 32), SmallResnet.Config(width=8))


def _audit(pictures: np.ndarray, classes: np.ndarray, views: Views) -> Audit:
    result = audit_augmentations(_encoder(pictures.shape[1]), pictures, classes, views, seed=0)
    assert result is not None
    return result


@pytest.fixture(scope="module")
def colored() -> Audit:
    return _audit(*_colored(8), POLICIES)


@pytest.fixture(scope="module")
def digits() -> Audit:
    return _audit(*_digits(12), GRAY)


def test_where_color_is_the_class_it_forbids_what_changes_colors_and_nothing_that_moves_them(colored: Audit) -> None:
    assert colored.accuracy > 0.9
    assert colored.forbidden == ["grayscale"]
    assert [finding.refused for finding in colored.findings if finding.augmentation == "hue"] == [False, True]
    assert not {"flip", "vertical flip", "translation", "crop"} & set(colored.forbidden)
    assert colored.recommended["flip"] == 0.5
    assert "hue" not in colored.recommended


def test_digits_do_not_bear_flips_nor_to_be_turned_over_but_a_little(digits: Audit) -> None:
    assert "flip" in digits.forbidden
    assert "brightness" not in digits.forbidden
    assert digits.recommended.get("rotate", 0) < 180
    assert "flip" not in digits.recommended


def test_gray_pictures_are_not_asked_about_color(digits: Audit) -> None:
    assert not {"hue", "saturation", "grayscale"} & {finding.augmentation for finding in digits.findings}


def test_what_no_training_brings_back_is_told_from_what_this_encoder_has_not_seen(colored: Audit) -> None:
    verdicts = {finding.augmentation: finding.verdict for finding in colored.findings}
    assert verdicts["grayscale"] == "destroys"  # all are gray then
    gray = next(finding for finding in colored.findings if finding.augmentation == "grayscale")
    assert colored.accuracy + gray.learned.value < 0.6


def test_pixels_are_looked_at_where_the_encoder_is_blind_to_the_classes() -> None:
    pictures, classes = _colored(6)
    encoder = _encoder(3)
    with torch.no_grad():  # it sees nothing at all; one trained with strong color jitter sees everything but color
        next(encoder.parameters()).zero_()
    result = audit_augmentations(encoder, pictures, classes, POLICIES, seed=0)
    assert result is not None
    assert result.space == "pixels"
    assert "grayscale" in result.forbidden


@pytest.mark.parametrize(
    ("seen", "learned", "verdict"),
    [
        ((-0.04, -0.09, -0.01), (-0.02, -0.05, 0.0), "fits"),  # surely something, but no more than is tolerated
        ((-0.08, -0.15, -0.01), (-0.02, -0.05, 0.0), "unsure"),
        ((-0.20, -0.30, -0.06), (-0.08, -0.15, 0.02), "misleads"),
        ((-0.20, -0.30, -0.06), (-0.20, -0.30, -0.06), "destroys"),
    ],
)
def test_only_what_surely_costs_more_than_is_tolerated_is_refused(
    seen: tuple[float, float, float], learned: tuple[float, float, float], verdict: str
) -> None:
    level = LADDER["cutout"][0]
    finding = Audited("cutout", level, Interval(*seen), Interval(*learned), np.zeros((1, 1, 4, 4), np.uint8))
    result = Audit("encoder", 40, 0.9, [finding])
    assert finding.verdict == verdict
    assert result.forbidden == (["cutout"] if verdict in ("misleads", "destroys") else [])
    assert result.recommended == ({"cutout": 0.25} if verdict == "fits" else {})


def test_a_policy_that_uses_what_is_forbidden_is_named(colored: Audit) -> None:
    policies = {"weak": Policy(flip=0.5), "view": Policy(hue=0.1, grayscale=0.2)}
    assert colored.conflicts(policies) == [("view", "grayscale")]


def test_too_few_labels_are_no_audit() -> None:
    pictures, _ = _digits(1)
    assert audit_augmentations(_encoder(1), pictures, np.arange(10), GRAY, seed=0) is None
    assert audit_augmentations(_encoder(1), pictures, np.zeros(10, dtype=np.int64), GRAY, seed=0) is None


def test_the_same_seed_gives_the_same_audit_and_json_holds_it(digits: Audit) -> None:
    again = _audit(*_digits(12), GRAY)
    assert json.dumps(as_records(again, GRAY)) == json.dumps(as_records(digits, GRAY))
    assert len(as_records(digits, GRAY)["levels"]) == sum(
        len(levels) for name, levels in LADDER.items() if name not in ("hue", "saturation", "grayscale")
    )


def test_every_level_is_a_policy_and_what_is_recommended_is_one(colored: Audit) -> None:
    for levels in LADDER.values():
        for level in levels:
            assert Policy(**level.always) != Policy()
            assert Policy(**level.setting) != Policy()
    assert Policy(**colored.recommended) != Policy()


def test_of_large_pictures_fewer_are_looked_at_and_views_stay_bounded() -> None:
    assert audited_at_once((1, 32, 32), 120) == (120, DRAWS)
    assert audited_at_once((3, 64, 64), 120) == (120, DRAWS)
    assert audited_at_once((3, 224, 224), 20) == (20, 2)
    for side in (96, 128, 224, 512):
        pictures, draws = audited_at_once((3, side, side), 5000)
        assert pictures * draws <= max(48, 3 * 2**21 / (3 * side * side))
        assert pictures >= 48
