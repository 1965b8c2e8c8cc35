"""Pieces of words as entries of a vocabulary: byte pairs and word pieces, learned by the library tokenizers.

Sennrich, Haddow & Birch 2016, https://arxiv.org/abs/1508.07909, over bytes as in Radford et al. 2019 (GPT-2);
Schuster & Nakajima 2012, https://doi.org/10.1109/ICASSP.2012.6289079 (WordPiece), as BERT has it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from components.modalities.text.words import words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["words", "bytes", "bpe", "wordpiece"]
Learned = Literal["bpe", "wordpiece"]
LEARNED = ("bpe", "wordpiece")
ALL_BYTES = 256  # entries that byte pairs begin with, so that no text holds what is unknown
_UNKNOWN = "[UNK]"  # no entry: words are in lower case


def learn(texts: Callable[[], Iterable[str]], kind: Learned, *, least: int, most: int) -> dict[str, Any]:
    """Statistics of the texts, which may be walked through twice: `counts`, and of byte pairs `merges`.

    counts: how often each entry, of `most` at most, is in the texts; 0 for one that is only a part of others. merges:
    what is put together, `left right` each, the first first. least: how often two parts must meet to become one. The
    same texts in the same order, the same statistics, however many threads there are.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer, WordPieceTrainer

    tokenizer = _empty(kind)
    sizes: dict[str, Any] = {"min_frequency": least, "show_progress": False}
    if kind == "bpe":
        alphabet = sorted(ByteLevel.alphabet())
        tokenizer.train_from_iterator(texts(), BpeTrainer(vocab_size=most, initial_alphabet=alphabet, **sizes))
        counted: Iterable[tuple[str, int]] = ((text, 1) for text in texts())
    else:
        seen = Counter(word for text in texts() for word in words(text.lower()))
        letters = _letters(seen, max(1, most // 4))
        numbered = [_UNKNOWN, *letters, *(f"##{one}" for one in letters)]  # the trainer would number them in any order
        made_of_them = (word for word, times in seen.items() if {*word} <= {*letters} for _ in range(times))
        tokenizer.train_from_iterator(
            made_of_them, WordPieceTrainer(vocab_size=most + 1, special_tokens=numbered, **sizes)
        )
        counted = seen.items()
    model = json.loads(tokenizer.to_str())["model"]
    merges = {"merges": [" ".join(pair) for pair in model["merges"]]} if kind == "bpe" else {}
    split, found = splitter(model["vocab"], merges.get("merges", ()), kind), Counter[str]()
    for text, times in counted:
        for piece in split(text):
            found[piece] += times
    entries = sorted((one for one in model["vocab"] if one != _UNKNOWN), key=lambda one: (-found[one], one))
    return {"counts": {one: found[one] for one in entries}, **merges}


def splitter(entries: Iterable[str], merges: Sequence[str], kind: Learned) -> Callable[[str], list[str]]:
    """From a text to its pieces, in order; what is no entry is a piece that is in no table."""
    from tokenizers.models import BPE, WordPiece

    table = {entry: number for number, entry in enumerate(dict.fromkeys([_UNKNOWN, *entries]))}
    tokenizer = _empty(kind)
    if kind == "bpe":
        left_and_right = [(left, right) for left, _, right in (pair.partition(" ") for pair in merges)]
        tokenizer.model = BPE(vocab=table, merges=left_and_right)
        return lambda text: tokenizer.encode(text).tokens
    tokenizer.model = WordPiece(vocab=table, unk_token=_UNKNOWN)
    return lambda text: tokenizer.encode(words(text.lower()), is_pretokenized=True).tokens


def joined(entries: Iterable[str], kind: Learned) -> str:
    """Pieces back to a text, as far as that goes; byte pairs all the way."""
    if kind == "wordpiece":
        return " ".join(entries).replace(" ##", "")
    from tokenizers.decoders import ByteLevel

    return ByteLevel().decode(list(entries))


def check(counts: Mapping[str, int], merges: Any) -> None:
    """Raise ValueError for byte pairs that `learn` cannot have given."""
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = {*ByteLevel.alphabet()}
    if not counts.keys() >= alphabet or any({*entry} - alphabet for entry in counts):
        raise ValueError("counts must be of byte pairs, all single bytes among them")
    if not isinstance(merges, list) or not all(isinstance(one, str) and one.count(" ") == 1 for one in merges):
        raise ValueError("merges must be a list of two entries each, with a blank between them")
    if not all({*pair.split(" "), pair.replace(" ", "")} <= counts.keys() for pair in merges):
        raise ValueError("merges must be of entries, and make entries")


def _letters(seen: Mapping[str, int], most: int) -> list[str]:
    """The most frequent of the words' letters, with ties by themselves."""
    found: Counter[str] = Counter()
    for word, times in seen.items():
        for letter in word:
            found[letter] += times
    return sorted(found, key=lambda one: (-found[one], one))[:most]


def _empty(kind: Learned) -> "Tokenizer":
    from tokenizers import Tokenizer
    from tokenizers.models import BPE, WordPiece
    from tokenizers.pre_tokenizers import ByteLevel

    if kind == "wordpiece":
        return Tokenizer(WordPiece(unk_token=_UNKNOWN))
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer
