"""A Label Studio server, asked over HTTP: its address and a token of the caller's come from the environment alone."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from components.core.errors import Unavailable, WinnowError
from components.core.secrets import without_secrets
from components.core.terminal import short

if TYPE_CHECKING:
    from httpx import Client, Response

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
PAGE = 100  # tasks asked for at a time
_PATIENCE = 120.0  # seconds for one answer: a server takes its time over a hundred new pictures
_SAID = 200  # letters of what a server says of a refusal


@contextmanager
def label_studio() -> Iterator["LabelStudio"]:
    """The server that the environment names. Raises WinnowError where it names none, or none that can be."""
    import httpx

    address, key = (os.environ.get(name, "").strip() for name in (URL, KEY))
    if not address or not key:
        raise WinnowError(
            f"{URL} (such as http://localhost:8080) and {KEY} (a personal access token, from Account & Settings there) "
            "say which Label Studio to ask, and as whom: set both in the environment."
        )
    try:
        place = httpx.URL(address)
    except httpx.InvalidURL:
        place = httpx.URL("")
    if place.scheme not in ("http", "https") or not place.host or place.userinfo or place.query:
        raise WinnowError(
            f"{URL} must be an address such as http://localhost:8080, without a user, a password or a query in it."
        )
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would write down each request's address
    with httpx.Client(base_url=place, timeout=_PATIENCE, follow_redirects=False) as client:
        yield LabelStudio(client, key)


class LabelStudio:
    """client: speaks to the server; key: a personal access token, or a legacy one.

    Personal tokens are JWT that only buy other ones, good for some five minutes each: one is bought when the first
    request wants it, and again when the server answers 401, after which that request is sent once more. Every method
    raises Unavailable where nobody answers or the server has failed, and WinnowError with a sentence for what it
    refuses.
    """

    def __init__(self, client: "Client", key: str) -> None:
        self._client, self._key = client, key
        self._bought = key.count(".") == 2  # a legacy token has no dots
        self._said = "" if self._bought else f"Token {key}"

    def get(self, path: str, **query: str | int) -> Any:
        """What the server says at a path such as `/api/projects/`; None where it has nothing there."""
        response = self._ask("GET", path, params=query)
        return None if response.status_code == 404 else _content(response)

    def send(self, method: str, path: str, content: Any) -> Any:
        """POST or PATCH content that becomes JSON; what the server says to it."""
        response = self._ask(method, path, json=content)
        if response.status_code == 404:
            raise WinnowError(
                "Label Studio has nothing of that number (any more): look at its projects, and try again."
            )
        return _content(response)

    def projects(self, title: str) -> list[dict[str, Any]]:
        """Those of exactly this title."""
        found, page, total = list[dict[str, Any]](), 1, 1
        while len(found) < total:
            said = _fields(self.get("/api/projects/", title=title, page=page, page_size=PAGE), "results", "count")
            found += said["results"]
            page, total = page + 1, said["count"] if said["results"] else 0
        return [one for one in found if one.get("title") == title]

    def tasks(self, project: int, query: str = "", *, answers: bool) -> Iterator[dict[str, Any]]:
        """A project's tasks by number, those that `query` (JSON, the data manager's) selects, with their annotations
        where answers are wanted."""
        what: dict[str, str | int] = {"project": project, "page_size": PAGE, "resolve_uri": "false"}
        what |= {"fields": "all" if answers else "task_only", "query": query or '{"ordering": ["tasks:id"]}'}
        page, given, total = 1, 0, 1
        while given < total:
            said = _fields(self.get("/api/tasks/", page=page, **what), "tasks", "total")
            yield from said["tasks"]
            given += len(said["tasks"])
            page, total = page + 1, said["total"] if said["tasks"] else 0

    def _ask(self, method: str, path: str, **what: Any) -> "Response":
        if not self._said:
            self._buy()
        response = self._request(method, path, **what)
        if response.status_code == 401 and self._bought:
            self._buy()
            response = self._request(method, path, **what)
        if response.status_code == 401:
            raise _no_entry(self._bought)
        return response

    def _buy(self) -> None:
        self._said = ""
        response = self._request("POST", "/api/token/refresh", json={"refresh": self._key})
        if response.status_code in (400, 401, 403):
            raise _no_entry(self._bought)
        self._said = f"Bearer {_fields(_content(response), 'access')['access']}"

    def _request(self, method: str, path: str, **what: Any) -> "Response":
        import httpx

        try:
            return self._client.request(
                method, path, headers={"Authorization": self._said} if self._said else {}, **what
            )
        except httpx.HTTPError as error:
            raise Unavailable(
                f"Label Studio does not answer at {URL} ({type(error).__name__}): is it running, and is that its "
                "address? What was not sent is sent by the same command again."
            ) from None


def _content(response: "Response") -> Any:
    """What it says. Raises as `LabelStudio` says."""
    status = response.status_code
    if 300 <= status < 400:
        raise WinnowError(f"what answers at {URL} sends elsewhere ({status}): write the address it sends to there.")
    if status >= 500:
        raise Unavailable(f"Label Studio has failed ({status}): look at what it says of that, and try again.")
    if status >= 400:
        raise WinnowError(f"Label Studio refuses that ({status}): {_reason(response)}")
    try:
        return response.json() if response.content else None
    except ValueError:
        raise _other() from None


def _fields(said: Any, *names: str) -> dict[str, Any]:
    if not isinstance(said, dict) or any(name not in said for name in names):
        raise _other()
    return said


def _reason(response: "Response") -> str:
    """What the server says of its refusal, made short."""
    try:
        said = response.json()
    except ValueError:
        return "it does not say why."
    parts = said if isinstance(said, dict) else {}
    words = parts.get("validation_errors") or parts.get("detail") or said
    return short(without_secrets(str(words)), _SAID)


def _other() -> WinnowError:
    return WinnowError(
        f"what answers at {URL} is no Label Studio that Winnow knows (1.23 is known): is that its address?"
    )


def _no_entry(bought: bool) -> WinnowError:
    hint = "" if bought else " What you gave is a legacy token, which new organizations do not take."
    return WinnowError(f"Label Studio does not take {KEY}: make a personal access token in Account & Settings.{hint}")
