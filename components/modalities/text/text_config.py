"""What may be set of texts: `ingest.modality` beside the name."""

from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from components.core.config import Config
from components.modalities.text.pieces import ALL_BYTES, LEARNED, Kind

PIECES = 8000  # entries that usually do, where they are pieces of words


class TextConfig(Config):
    """vocabulary: `words` in lower case; pieces of them, which no text lacks, by byte pairs (`bpe`) or
    (`wordpiece`) in lower case; or `bytes`, which need no table. seen: how often a word must be in the training
    texts to be an entry, or two pieces side by side to be one; most: entries, of pieces 8,000 where it is not said;
    length: entries of a text that a model sees; characters: of a text that are kept.
    """

    vocabulary: Kind = "words"
    seen: int = Field(2, ge=1)
    most: int = Field(50_000, ge=1, le=10_000_000)
    length: int = Field(256, ge=1, le=100_000)
    characters: int = Field(10_000, ge=1, le=10_000_000)

    @model_validator(mode="before")
    @classmethod
    def _fewer_pieces(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("vocabulary") not in LEARNED:
            return values
        return {"most": PIECES, **values}

    @field_validator("most")
    @classmethod
    def _all_bytes(cls, most: int, info: ValidationInfo) -> int:
        if info.data.get("vocabulary") == "bpe" and most < ALL_BYTES:
            raise ValueError(f"{ALL_BYTES} or more, as all bytes are entries of bpe")
        return most

    def unused(self) -> dict[str, str]:
        """As the base says."""
        why = "ingest.modality.vocabulary is bytes, which are all in it"
        return dict.fromkeys(("seen", "most"), why) if self.vocabulary == "bytes" else {}
