"""The process's surroundings, set in one place before anything heavy is imported: no telemetry, no secret, threads."""

import os
import pwd
from pathlib import Path

from components.core.addresses import part_with_users
from components.core.masked_output import mask_output

PATIENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # a math thread that waits for another sleeps, so that others' work gets the core
    "TOKENIZERS_PARALLELISM": "false",  # or it takes all cores, whatever `threads` says
}
QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "DVC_SITE_CACHE_DIR": str(Path(".winnow/dvc").absolute()),
}
HOME = Path(".winnow/home").absolute()  # where libraries keep what they would in a home folder, if there is none
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def prepare(*, threads: int | None = None) -> None:
    """Switch off every tool's telemetry, keep secrets out of addresses and output, and pin the math libraries' threads.

    Call before imports. What libraries look for and a container may lack is given by value: a name for the user, a home
    folder that can be written, and the way to this machine's own servers, which never goes by a proxy.
    Raises WinnowError for addresses with users that no variable can take.
    """
    mask_output()
    part_with_users()
    for name, value in {**QUIET, **PATIENT, **_user(), "PYTHONUTF8": "1"}.items():
        os.environ.setdefault(name, value)
    os.environ.update(_home())
    os.environ.update(_direct())
    if threads is not None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(threads)


def make_home() -> None:
    """Make the folder that stands in for a home, where `prepare` named it: Prefect makes no folders above its own."""
    if any(os.environ.get(name, "").startswith(str(HOME)) for name in ("HOME", "PREFECT_HOME")):
        HOME.mkdir(parents=True, exist_ok=True)


def proxies() -> dict[str, str]:
    """The proxies that the environment names, by variable."""
    names = [name for low in PROXIES for name in (low, low.upper())]
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def _user() -> dict[str, str]:
    """A name for a user id that has none, as containers run under."""
    if _entry() is not None:
        return {}
    return dict.fromkeys(("USER", "LOGNAME"), f"user{os.getuid()}")


def _home() -> dict[str, str]:
    """Where there is no home folder, one in the workspace; where it is read-only, the places for what is written.

    A read-only home stays what it is: settings and keys are read from it.
    """
    entry = _entry()
    home = os.environ.get("HOME") or (entry.pw_dir if entry else "")
    if not home or not Path(home).is_dir():
        return {"HOME": str(HOME)}
    if os.access(home, os.W_OK):
        return {}
    places = {"XDG_CACHE_HOME": "cache", "MPLCONFIGDIR": "matplotlib", "PREFECT_HOME": "prefect"}
    profiles = Path(home) / ".prefect/profiles.toml"
    given = {"PREFECT_PROFILES_PATH": str(profiles)} if profiles.is_file() else {}
    mine = {name: str(HOME / place) for name, place in places.items()} | given
    return {name: value for name, value in mine.items() if name not in os.environ}


def _direct() -> dict[str, str]:
    """Where a proxy is set, the variables that keep it away from this machine's own servers."""
    if not proxies():
        return {}
    told = f"{os.environ.get('no_proxy', '')},{os.environ.get('NO_PROXY', '')}".split(",")
    every = dict.fromkeys([name.strip() for name in told if name.strip()] + list(LOOPBACK))
    return dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(every))


def _entry() -> "pwd.struct_passwd | None":
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        return None
