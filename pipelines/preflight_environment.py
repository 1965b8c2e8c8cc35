"""What a container or an odd shell lacks: a home, a temporary folder, a locale, git, a way past proxies."""

import importlib.util
import locale
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from components.core import environment
from components.core.secrets import without_secrets
from pipelines.concern import Concern

TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # as Python asks them


def surroundings(*, with_prefect: bool) -> list[Concern]:
    """Everything found. with_prefect: whether the run needs a Prefect server, its own or another."""
    return [*_folder(), *_home(), *_temporary(), *_locale(), *_git(), *(unusable_proxies() if with_prefect else [])]


def unusable_proxies() -> list[Concern]:
    """Kinds of proxies that Prefect's client refuses, even for the addresses that go by none."""
    takes = {"", "http", "https"} | ({"socks5", "socks5h"} if importlib.util.find_spec("socksio") else set())
    return [
        Concern(f"{name} is {without_secrets(url)}, a proxy that Prefect cannot use: {cure}.")
        for name, url in environment.proxies().items()
        if "://" in url and urlsplit(url).scheme not in takes
        for cure in ["unset it, or `winnow repro`, which needs no Prefect"]
    ]


def _folder() -> list[Concern]:
    name = str(Path.cwd())
    if name.isprintable() and not any(0xD800 <= ord(sign) <= 0xDFFF for sign in name):
        return []
    return [Concern(f"the project's folder is {name!r}, which no database takes: rename it in plain letters.")]


def _home() -> list[Concern]:
    home = os.environ.get("HOME")
    if home == str(environment.HOME):
        text = f"there is no home folder: libraries keep their files in {environment.HOME}. Set HOME for another place."
        return [Concern(text, stops=False)]
    if home and not os.access(home, os.W_OK):
        text = f"{home} (HOME) cannot be written: libraries keep their files in {environment.HOME}."
        return [Concern(f"{text} Set HOME for another place.", stops=False)]
    return []


def _temporary() -> list[Concern]:
    used = tempfile.gettempdir()
    if used == str(Path.cwd()):
        places = "TMPDIR, /tmp, /var/tmp"
        return [Concern(f"there is no folder for temporary files ({places}): set TMPDIR to one that can be written.")]
    return [
        Concern(f"{name} is {place}, which is not there or cannot be written ({used} is used): unset it.", stops=False)
        for name in TEMPORARY
        if (place := os.environ.get(name)) and not os.access(place, os.W_OK | os.X_OK)
    ]


def _locale() -> list[Concern]:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        told = next(os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name))
        return [Concern(f"this machine has no locale {told}: set LC_ALL to C.UTF-8.", stops=False)]
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return []


def _git() -> list[Concern]:
    if shutil.which("git") is None:
        return [Concern("there is no git on PATH, so runs do not say which code made them: install git.", stops=False)]
    if not Path(".git").exists():
        return []
    asked = subprocess.run(["git", "rev-parse", "--git-dir"], capture_output=True, text=True, check=False)
    if "dubious ownership" not in asked.stderr:
        return []
    cure = f"`git config --global --add safe.directory {Path.cwd()}`, or run as the user who owns it"
    return [Concern(f"git does not read this folder, which is another user's: {cure}.", stops=False)]
