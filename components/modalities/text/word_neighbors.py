"""The words whose vectors are nearest to a word's, in an encoder's table: of one topic more often than synonyms."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from components.core.errors import WinnowError
from components.modalities.text.vocabulary import FIRST, Vocabulary, check

BLOCK = 512  # words whose likeness to all is in memory at a time
TABLE = "table.weight"


def read_neighbors(path: Path, most: int) -> dict[str, list[str]]:
    """For each word of the encoder's vocabulary so many others, the nearest by cosine first.

    path: its safetensors file, with the `.json` beside it that says its vocabulary, of words or of word pieces. What
    counts is a whole word with a letter in it. Raises WinnowError for a file that holds no such table.
    """
    entries, table = _read(path)
    words = [row for row, entry in enumerate(entries) if any(map(str.isalpha, entry)) and entry[:2] != "##"]
    if len(words) < 2:
        raise _wrong(path, "its vocabulary has no two words")
    vectors = F.normalize(table[words].float(), dim=1)
    found = {}
    for start in range(0, len(words), BLOCK):
        near = vectors[start : start + BLOCK] @ vectors.T
        near[:, start:].fill_diagonal_(-2)
        nearest = near.topk(min(most, len(words) - 1), dim=1).indices.tolist()
        for row, others in enumerate(nearest, start):
            found[entries[words[row]]] = [entries[words[other]] for other in others]
    return found


def _read(path: Path) -> tuple[list[str], Tensor]:
    """Entries of the vocabulary, and a row of the table for each."""
    from safetensors import SafetensorError, safe_open

    try:
        facts: Any = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        modality, statistics = facts["inputs"]["modality"], facts["inputs"]["statistics"]
        kind = modality.get("vocabulary", "words")
        if modality["name"] != "text" or ("normalizer" not in statistics and kind not in ("words", "wordpiece")):
            raise ValueError("its vocabulary is not of words")
        check(statistics, kind)
        entries = Vocabulary(statistics, kind, 1).entries
        with safe_open(path, "pt") as file:
            table: Tensor = file.get_tensor(TABLE)
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        missing = isinstance(error, FileNotFoundError)
        problem = "it is missing, or the .json beside it" if missing else (str(error).splitlines() or ["?"])[0][:80]
        raise _wrong(path, problem) from None
    extra = len(table) - len(entries)
    if extra not in (0, FIRST) or table.dim() != 2 or not table.is_floating_point() or not table.isfinite().all():
        raise _wrong(path, f"{TABLE} is no row of finite numbers for each entry of the vocabulary")
    return entries, table[extra:]


def _wrong(path: Path, why: str) -> WinnowError:
    return WinnowError(
        f"{path} gives no nearest words ({why}): give synonyms.vectors the encoder.safetensors of a run with "
        f"word_vectors, which `winnow export {path.parent}` writes there with its .json."
    )
