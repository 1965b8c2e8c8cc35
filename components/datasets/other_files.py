"""Files and folders that lie beside samples and are known by their names to be none: never damage, never looked at."""

from pathlib import PurePath

_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "picasa.ini", "icon\r", "folder.htt"}
_TEXT = {".json", ".jsonl", ".xml", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".md", ".rst", ".html", ".htm", ".log"}
_SIDECARS = {".xmp", ".aae", ".thm", ".db", ".ini", ".lnk", ".url", ".py", ".ipynb", ".names", ".data", ".cache"}
_TABLES = {".xls", ".xlsx", ".ods", ".doc", ".docx", ".npy", ".npz", ".parquet", ".pkl", ".mat", ".sha256", ".md5"}
_HALVES = {".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".swp", ".bak"}


def is_hidden(name: str) -> bool:
    """Whether people do not see it: a dot in front, or what an archiver of another system adds."""
    return name.startswith(".") or name.casefold() == "__macosx"


def why_left_out(name: str, suffixes: frozenset[str]) -> str:
    """Why a file of this name is left out unseen, as a sentence; or nothing. suffixes: endings of samples' files."""
    suffix = PurePath(name.casefold()).suffix
    if is_hidden(name):
        return "a hidden file."
    if name.casefold() in _SYSTEM:
        return "a file of the operating system."
    if suffix in _HALVES or name.endswith("~"):
        return "a file that was still being written, or a copy that a program left."
    if suffix not in suffixes and suffix in _TEXT | _SIDECARS | _TABLES:
        return f"a {suffix} file beside the samples, by its name."
    return ""
