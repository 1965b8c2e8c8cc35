"""Files and folders that lie beside pictures and are known by their names to be none: never damage, never looked at."""

from pathlib import PurePath

PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
_SYSTEM = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "picasa.ini", "icon\r", "folder.htt"}
_TEXT = {".json", ".jsonl", ".xml", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".md", ".rst", ".html", ".htm", ".log"}
_SIDECARS = {".xmp", ".aae", ".thm", ".db", ".ini", ".lnk", ".url", ".py", ".ipynb", ".names", ".data", ".cache"}
_TABLES = {".xls", ".xlsx", ".ods", ".doc", ".docx", ".npy", ".npz", ".parquet", ".pkl", ".mat", ".sha256", ".md5"}
_HALVES = {".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".swp", ".bak"}


def is_hidden(name: str) -> bool:
    """Whether people do not see it: a dot in front, or what an archiver of another system adds."""
    return name.startswith(".") or name.casefold() == "__macosx"


def why_no_picture(name: str) -> str:
    """Why a file of this name is left out unseen, as a sentence; or nothing."""
    suffix = PurePath(name.casefold()).suffix
    if is_hidden(name):
        return "a hidden file."
    if name.casefold() in _SYSTEM:
        return "a file of the operating system."
    if suffix in _HALVES or name.endswith("~"):
        return "a file that was still being written, or a copy that a program left."
    if suffix in _TEXT | _SIDECARS | _TABLES:
        return f"a {suffix} file beside the pictures, by its name."
    return ""


def is_named_like_a_picture(name: str) -> bool:
    """Whether a picture is expected in a file of this name."""
    return PurePath(name.casefold()).suffix in PICTURES
