"""A setting that does nothing beside the others is refused, wherever it stands, and all of them at once."""

import pytest

from components.core.config import Config, parse, validated
from components.core.errors import WinnowError
from components.core.unused import unused


class Blur(Config):
    share: float = 0.0
    sigma: float | None = 1.0

    def unused(self) -> dict[str, str]:
        return {} if self.share else {"sigma": "share is 0"}


class Params(Config):
    steps: int = 1
    rate: float = 0.1
    clip: float = 1.0
    blur: Blur = Blur()
    views: dict[str, Blur] = {}

    def unused(self) -> dict[str, str]:
        return {} if self.steps else dict.fromkeys(("rate", "clip", "views"), "steps is 0")


def test_settings_that_mean_something_are_taken() -> None:
    assert parse(Params, {"rate": 0.5, "blur": {"share": 0.1, "sigma": 2}}, where="a").rate == 0.5


def test_all_that_do_nothing_are_named_in_one_sentence() -> None:
    with pytest.raises(WinnowError) as error:
        parse(Params, {"steps": 0, "rate": 0.5, "clip": 2, "blur": {"sigma": 2}}, where="a")
    said = (
        "a.rate and a.clip are not used, since steps is 0; a.blur.sigma is not used, since share is 0: take them out."
    )
    assert str(error.value) == said


def test_one_alone_is_told_in_the_singular_and_found_in_a_block_of_blocks() -> None:
    with pytest.raises(WinnowError, match=r"^views\.weak\.sigma is not used, since share is 0: take it out\.$"):
        parse(Params, {"views": {"strong": {"share": 1, "sigma": 2}, "weak": {"sigma": 2}}}, where="")


def test_what_is_left_out_or_left_empty_is_no_setting() -> None:
    assert parse(Params, {"steps": 0, "blur": {"sigma": None}}, where="a").steps == 0


def test_below_a_block_that_does_nothing_nothing_more_is_said() -> None:
    settings = validated(Params, {"steps": 0, "views": {"weak": {"sigma": 2}}}, where="a")
    assert list(unused(settings, "a")) == ["a.views"]
