"""Users and passwords leave the addresses in the environment; they go on in the variables that the libraries read."""

import os
import re
from collections.abc import MutableMapping
from urllib.parse import unquote

from components.core.errors import WinnowError
from components.core.secrets import NO_SCHEME, userinfo

MLFLOW = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
SERVERS = {  # of http addresses; MLflow has one user for both of its
    "MLFLOW_TRACKING_URI": MLFLOW,
    "MLFLOW_REGISTRY_URI": MLFLOW,
    "MLFLOW_S3_ENDPOINT_URL": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
}
DATABASES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "PREFECT_API_DATABASE_CONNECTION_URL")
POSTGRES = ("PGUSER", "PGPASSWORD")  # what libpq and asyncpg read
PREFECT, PREFECT_AUTH = "PREFECT_API_URL", "PREFECT_API_AUTH_STRING"


def part_with_users(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take user and password out of every address of a server; this process and its children have them apart.

    Other databases than PostgreSQL, and proxies, know no other place: theirs stay, and are masked in whatever is said.
    Raises WinnowError where two addresses name two users and the library can have only one, for a user alone, and for
    an address whose scheme is missing or mistyped, which a library would print or make a folder of.
    """
    given: dict[tuple[str, ...], tuple[str, ...]] = {}
    for name, address in list(environment.items()):
        if name in {*SERVERS, *DATABASES, PREFECT} and NO_SCHEME.match(address):
            raise WinnowError(
                f"{name} has a user but does not begin as an address does: write http://USER:PASSWORD@HOST."
            )
        scheme, _, rest = address.partition("://")
        variables = _variables(name, scheme)
        hidden = userinfo(rest) if variables else ""
        if not hidden.endswith("@"):
            continue
        user, _, password = hidden[:-1].partition(":")
        pair = (unquote(user), unquote(password))
        if not password and variables == MLFLOW:
            raise WinnowError(f"{name} has a user without a password: give both, or a token in MLFLOW_TRACKING_TOKEN.")
        values = (":".join(pair),) if len(variables) == 1 else pair
        if given.setdefault(variables, values) != values:
            raise WinnowError(f"{name} names another user than the address beside it: one {variables[0]} serves both.")
        environment[name] = f"{scheme}://{rest[len(hidden) :]}"
        environment.update(zip(variables, values, strict=True))


def _variables(name: str, scheme: str) -> tuple[str, ...]:
    """Where user and password of that address go; empty where they cannot leave it, or it is none of ours."""
    if re.fullmatch(r"(?i)https?", scheme):
        return (PREFECT_AUTH,) if name == PREFECT else SERVERS.get(name, ())
    return POSTGRES if name in DATABASES and scheme.startswith("postgres") else ()
