"""Policies: what is refused and how, and that the file says what it means."""

from pathlib import Path

import pytest

from components.core.config import parse
from components.core.errors import WinnowError
from components.modalities.image.policy import Policy, RandAugment
from components.modalities.views import read_views, write_views
from tests.pictures import views_of


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("flip", 1.5, "less than or equal to 1"),
        ("crop", (0.9, 0.2), "the smaller one first"),
        ("crop", (0.5, 1.2), "cannot be above 1"),
        ("crop", (0.0, 1.0), "two positive numbers"),
        ("hue", 0.7, "less than or equal to 0.5"),
        ("brightness", -0.1, "greater than or equal to 0"),
        ("blur_sigma", (2.0, 1.0), "the smaller one first"),
        ("shrink", 0, "greater than or equal to 1"),
        ("shrink", 9, "less than or equal to 8"),
        ("rand_augment", {"magnitude": 2}, "less than or equal to 1"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_limit(setting: str, value: object, words: str) -> None:
    with pytest.raises(WinnowError, match=rf"augment\.policies\.weak\.{setting}.*{words}"):
        parse(Policy, {setting: value}, where="augment.policies.weak")


def test_a_mistyped_setting_gets_the_nearest_name() -> None:
    with pytest.raises(WinnowError, match="did you mean 'rotate'"):
        parse(Policy, {"rotat": 10}, where="augment.policies.weak")


def test_policies_come_back_as_they_were_written(tmp_path: Path) -> None:
    policies = {"weak": Policy(crop=(0.8, 1.0)), "strong": Policy(rand_augment=RandAugment(operations=2))}
    views = views_of(policies, mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1])
    write_views(tmp_path / "policy.json", views)
    found = read_views(tmp_path / "policy.json")
    assert (found.policies, found.statistics) == (policies, views.statistics)
    assert found.modality.choice == views.modality.choice


def test_equal_policies_are_written_as_equal_bytes_in_any_order(tmp_path: Path) -> None:
    weak, strong = Policy(flip=0.5), Policy(cutout=0.5)
    for name, policies in (("a", {"weak": weak, "strong": strong}), ("b", {"strong": strong, "weak": weak})):
        write_views(tmp_path / name, views_of(policies, [0.5], [0.2]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_text().endswith("}\n")


@pytest.mark.parametrize("text", [None, "{", "[]", '{"policies": {}}'])
def test_a_missing_or_broken_file_is_reported_in_a_sentence(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "policy.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(WinnowError, match=r"policy\.json"):
        read_views(path)
