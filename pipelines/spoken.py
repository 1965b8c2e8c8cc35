"""What a page of ours says to its server: a JSON object of a known form, and no longer than it can be."""

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from components.core.config import Config
from components.core.errors import WinnowError

if TYPE_CHECKING:
    from starlette.requests import Request

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
Kind = TypeVar("Kind", bound=Config)


async def spoken(request: "Request", kind: type[Kind], most: int) -> Kind:
    """What the page says. most: bytes. Raises WinnowError for what no page of ours says."""
    wrong = WinnowError("the server did not understand the page: load it anew.")
    if request.headers.get("content-type") != "application/json":
        raise wrong
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise wrong
    try:
        return kind.model_validate(json.loads(content))
    except (ValueError, RecursionError, ValidationError):
        raise wrong from None
