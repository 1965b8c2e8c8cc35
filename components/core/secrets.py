"""What must never be read by others leaves every text: userinfo, tokens of queries, secrets of the environment."""

import functools
import json
import os
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

MASK = "***"
NO_SCHEME = re.compile(r"(?!\w[\w+.\-]*://)(?:\w+:/?|//)?[^/:]*:(.+)@")  # user:password@host, http:/user:password@host
SHORT = 6  # a secret of fewer characters is masked in addresses alone: elsewhere it would garble common words
REACH = 400  # characters within which the end of a userinfo with blanks or line ends is looked for
KNOWN = {"winnow", "mlflow", "prefect", "postgres", "digits"}  # no secrets, though they be somebody's password
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_TOKEN = re.compile(r"""[^\s"'<>]*""")
_HOST = re.compile(r"(\[[^\]\s@]*\]|[\w.*~\-]*)(:\d+)?(?=$|[/?#\s\"'<>()\[\]{},;.!…\\|`]|:(?:\s|$))")
_NAMES = r"token(?!iz)|secret|passw|passphrase|credential|signature|(?:api|access|account|private)[_\-]?key"
_SAID = re.compile(rf"(?i)([\w.\-]*(?:{_NAMES})[\w.\-]*=|[?&;#](?:key|auth|sig|sas|pwd|pw|pass)=)[^&\s\"'<>]+")
_QUOTED = re.compile(rf"(?i)([\"'][\w.\-]*(?:{_NAMES})[\w.\-]*[\"']\s*:\s*[\"'])[^\"']+")
_HEADER = re.compile(
    r"(?i)((?:authorization|cookie|x-[a-z\-]*(?:key|token))[\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer|token)\s+)?[^\s\"']+"
)
_ADDRESS = re.compile(r"(?i)(?:^|_)(?:uri|url|proxy|endpoint|server|host|address|dsn)$")
_VARIABLE = re.compile(rf"(?i){_NAMES}|keys?(?:_|$)|auth(?!or)|(?:^|_)(?:pass|pwd|pw|sas)(?:_|$)")


def without_secrets(text: str) -> str:
    """The text with `***` for the userinfo of every address, for tokens, and for what the environment holds in secret.

    Userinfo is found whatever it holds: `@`, `:`, `/`, blanks, line ends. A variable is secret by its name (TOKEN,
    SECRET, PASSWORD, KEY, AUTH), or for the password in its address; its value is masked however it is quoted.
    """
    for value in _known(tuple(os.environ.items())):
        text = text.replace(value, MASK)
    text = _without_userinfo(text)
    for pattern in (_SAID, _QUOTED, _HEADER):
        text = pattern.sub(rf"\1{MASK}", text)
    return text


def userinfo(rest: str) -> str:
    """Of what follows `scheme://`: the user and password before the host with the `@`, as they stand; or nothing.

    Where no host can be seen, all that stands in its place.
    """
    token, near = _TOKEN.match(rest), rest[:REACH]
    assert token is not None
    before, at, _ = token[0].rpartition("@")
    line = near.partition("\n")[0]
    if at and (":" in before or "/" not in before):
        return line[: max(line.rfind("@"), len(before)) + 1]
    if _HOST.match(rest):
        return ""
    end = max(line.rfind("@"), -1) + 1 or near.rfind("@") + 1
    return near[:end] or re.split(r"[/?#]", token[0])[0]


def _without_userinfo(text: str) -> str:
    schemes = list(_SCHEME.finditer(text))
    ends = [scheme.start() for scheme in schemes[1:]] + [len(text)]
    parts = [text[: schemes[0].start()] if schemes else text]
    for scheme, end in zip(schemes, ends, strict=bool(schemes)):
        hidden = userinfo(text[scheme.end() : end])
        mask = f"{MASK}{'@' * hidden.endswith('@')}" if hidden else ""
        parts += [scheme[0], mask, text[scheme.end() + len(hidden) : end]]
    return "".join(parts)


@functools.lru_cache(maxsize=4)
def _known(environment: tuple[tuple[str, str], ...]) -> list[str]:
    """Every spelling of every secret in it, the longest first."""
    found = {spelling for value in _values(environment) for spelling in _spellings(value)}
    return sorted((one for one in found if len(one) >= SHORT and one not in KNOWN), key=len, reverse=True)


def _values(environment: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, value in environment:
        if scheme := _SCHEME.search(value):
            user, _, password = userinfo(value[scheme.end() :]).removesuffix("@").partition(":")
            yield password or user  # a token alone stands where the user does
        elif _ADDRESS.search(name) and (bare := NO_SCHEME.match(value)):
            yield bare[1]
        elif _VARIABLE.search(name) and not name.startswith("WINNOW_") and not _is_place(value):
            yield value.strip()


def _is_place(value: str) -> bool:
    """The path of a key file or a socket tells nothing."""
    return value.startswith(("/", "~")) and "\n" not in value and os.path.exists(os.path.expanduser(value))  # noqa: PTH110, PTH111


def _spellings(value: str) -> Iterator[str]:
    for one in {value, unquote(value), " ".join(value.split()), *value.splitlines()}:
        yield from (one, repr(one)[1:-1], json.dumps(one)[1:-1], quote_plus(one, errors="surrogateescape"))
        yield from (quote(one, safe=safe, errors="surrogateescape") for safe in ("/", ""))
