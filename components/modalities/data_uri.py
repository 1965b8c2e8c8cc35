"""A PNG inside a page: as an address that holds the whole file, since a page loads nothing from elsewhere."""

import base64


def data_uri(png: bytes) -> str:
    """The content of a PNG file as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
