"""When a row of the ledger says it was written, so that it counts as the latest."""

import math
from datetime import UTC, datetime


def moment(at: str = "", time: float = math.nan) -> str:
    """This second, UTC; or `at` where the row to come after, of that `time` in seconds since 1970, is from the future,
    or the row from the future would go on counting."""
    now = datetime.now(UTC)
    return at if time > now.timestamp() else f"{now:%Y-%m-%dT%H:%M:%SZ}"
