"""A vocabulary that others made and given weights bring: word pieces as BERT has them, out of a tokenizer.json."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.core.errors import WinnowError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LARGEST = 2**26  # bytes of such a file
SETTINGS = ("clean_text", "handle_chinese_chars", "lowercase", "strip_accents")  # of BERT's normalizer
_UNKNOWN = "[UNK]"


def brought(path: Path) -> dict[str, Any] | None:
    """Statistics of the vocabulary in the file: `counts`, which fall from entry to entry, and the `normalizer`.

    None where there is no file. Raises WinnowError for one that is no list of word pieces as BERT cuts them.
    """
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        facts = json.loads(path.read_text(encoding="utf-8"))
        kinds = [facts[name]["type"] for name in ("model", "normalizer", "pre_tokenizer")]
        if kinds != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
            raise ValueError(f"it is of {', '.join(map(str, kinds))}")
        numbers = facts["model"]["vocab"]
        if sorted(numbers.values()) != list(range(len(numbers))):
            raise ValueError("its entries are not numbered one by one")
        found = {
            "counts": {str(entry): len(numbers) - number for entry, number in numbers.items()},
            "normalizer": {name: facts["normalizer"].get(name) for name in SETTINGS},
        }
        check(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WinnowError(
            f"{path}, beside the file in pretrain.weights, is no vocabulary of word pieces as BERT's ({error}): give "
            "the folder of such a network, or move the file away."
        ) from None
    return found


def check(statistics: Mapping[str, Any]) -> None:
    """Raise ValueError for a normalizer that BERT has not."""
    settings = statistics["normalizer"]
    if not isinstance(settings, dict) or settings.keys() != {*SETTINGS}:
        raise ValueError(f"normalizer must hold {', '.join(SETTINGS)}")
    if not all(
        (value is None and name == "strip_accents") or isinstance(value, bool) for name, value in settings.items()
    ):
        raise ValueError("normalizer must hold true and false")
    if _UNKNOWN not in statistics["counts"]:
        raise ValueError(f"{_UNKNOWN} is no entry")


def tokenizer(entries: Iterable[str], normalizer: Mapping[str, bool | None]) -> "Tokenizer":
    """The library's own, with the entries numbered from 0."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordPiece

    made = Tokenizer(WordPiece(vocab={one: number for number, one in enumerate(entries)}, unk_token=_UNKNOWN))
    settings: dict[str, Any] = dict(normalizer)
    made.normalizer = normalizers.BertNormalizer(**settings)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def splitter(entries: Iterable[str], normalizer: Mapping[str, bool | None]) -> Callable[[str], list[str]]:
    """From a text to its pieces, in order."""
    made = tokenizer(entries, normalizer)
    return lambda text: made.encode(text).tokens
