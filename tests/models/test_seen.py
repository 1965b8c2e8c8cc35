"""What training pictures were like: others of their kind are mostly not foreign, ones far away are."""

import numpy as np

from components.modalities.image.unlike import form_of
from components.models.classifier import ClassifierSpec
from components.models.seen import FEWEST, LEVEL, Seen, reference
from tests.pictures import given


def test_a_twentieth_of_their_own_kind_is_foreign_and_what_is_far_away_all() -> None:
    generator = np.random.default_rng(0)
    near = (generator.normal(size=(3000, 16)) * 0.3 + np.eye(16)[generator.integers(0, 4, 3000)]).astype(np.float32)
    seen = Seen(facts={"forms": ["gray"]}, **reference(near[:2000]))
    again = Seen.model_validate_json(seen.model_dump_json())
    found, far = again.foreign(near[2000:]), again.foreign(np.tile(-np.eye(16, dtype=np.float32)[9] * 9, (5, 1)))
    assert found is not None
    assert far is not None
    assert abs(found.mean() - LEVEL) < 0.03
    assert far.all()


def test_too_few_pictures_say_nothing_and_old_files_still_load() -> None:
    few = reference(np.ones((FEWEST - 1, 4), np.float32))
    old = {"forms": ["color"], "sides": [8, 9], "aspect": 1.5}
    seen = Seen.model_validate({**old, **few})
    assert seen.foreign(np.ones((2, 4), np.float32)) is None
    assert seen.facts == old
    encoder = {"name": "x", "channels": 1, "image_size": 8, "dim": 4, "mean": [0.5], "std": [0.5]}
    spec = ClassifierSpec.model_validate({"encoder": encoder, "classes": ["a"], "method": "full"})
    assert spec.seen is None
    assert spec.encoder.inputs.given == given(1, 8)


def test_forms_are_told_by_mode() -> None:
    assert [form_of(mode) for mode in ("1", "L", "I;16", "F", "RGB", "CMYK", "P")] == [
        *["gray"] * 2,
        *["deep gray"] * 2,
        *["color"] * 3,
    ]
