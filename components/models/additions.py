"""What an encoder got after pretraining that cannot be folded into its weights; its file says so, and it is rebuilt."""

from pydantic import Field

from components.core.config import Config


class Additions(Config):
    """adapters: numbers between the layers of each adapter; tokens: learned ones; border: learned pixels, its width.

    0: there are none.
    """

    adapters: int = Field(default=0, ge=0, le=4096)
    tokens: int = Field(default=0, ge=0, le=4096)
    border: int = Field(default=0, ge=0, le=4096)
