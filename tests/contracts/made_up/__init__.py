"""A kind of data that only the tests have, and an encoder for it; as if their files lay in the project."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import components.modalities
import components.models.encoders

HERE = Path(__file__).parent
SETTINGS: dict[str, Any] = {  # by dotted name, over those that ship
    "ingest.modality": {"name": "number_rows"},
    "augment.policies": {name: {"noise": 0.2} for name in ("weak", "view", "strong")},
    "pretrain.encoder": {"name": "number_net"},
}


@contextmanager
def known() -> Iterator[None]:
    """While it lasts, both are found."""
    places = {"modalities": components.modalities.__path__, "encoders": components.models.encoders.__path__}
    for folder, place in places.items():
        place.append(str(HERE / folder))
    try:
        yield
    finally:
        for place in places.values():
            place.pop()
