"""What an encoder got after pretraining that cannot be folded into its weights; its file says so, and it is rebuilt."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from components.core.config import Config


class Additions(Config):
    """adapters: numbers between the layers of each adapter; tokens: learned ones; border: learned pixels, its width;
    odds: columns behind its vectors, what words say of each class.

    0: there are none.
    """

    adapters: int = Field(default=0, ge=0, le=4096)
    tokens: int = Field(default=0, ge=0, le=4096)
    border: int = Field(default=0, ge=0, le=4096)
    odds: int = Field(default=0, ge=0, le=4096)

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without odds where there are none, as in files from before them."""
        facts: dict[str, Any] = write(self)
        return facts if self.odds else {name: value for name, value in facts.items() if name != "odds"}
