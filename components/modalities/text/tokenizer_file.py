"""A vocabulary as the library tokenizers keeps one, for whoever uses an exported network without Winnow."""

from collections.abc import Mapping
from typing import Any

from components.modalities.text import given
from components.modalities.text.pieces import Kind
from components.modalities.text.vocabulary import Vocabulary
from components.modalities.text.words import pattern

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
PAD = "[PAD]"


def tokenizer_file(statistics: Mapping[str, Any], kind: Kind, length: int) -> bytes | None:
    """`tokenizer.json` that cuts texts as `Vocabulary` does; None for a vocabulary that has no such form here.

    One that weights brought keeps its own numbers, and has its marks before and behind a text of that length. Of words
    the numbers are those here, 0 for nothing and 1 for a word that is no entry.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = Vocabulary(statistics, kind, length)
    if vocabulary.normalizer is not None:
        made = given.tokenizer(vocabulary.entries, vocabulary.normalizer)
        marks = [(mark, vocabulary.entries.index(mark)) for mark in (FIRST, LAST) if mark in vocabulary.entries]
        if len(marks) < 2:
            return None
        made.post_processor = processors.TemplateProcessing(single=f"{FIRST} $A {LAST}", special_tokens=marks)
        made.add_special_tokens([mark for mark in (PAD, UNKNOWN, FIRST, LAST) if mark in vocabulary.entries])
    elif kind == "words":
        entries = {one: number for number, one in enumerate([PAD, UNKNOWN, *vocabulary.entries])}
        made = Tokenizer(models.WordLevel(entries, unk_token=UNKNOWN))
        made.normalizer = normalizers.Lowercase()
        made.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(pattern()), "removed", invert=True), pre_tokenizers.WhitespaceSplit()]
        )
    else:
        return None
    made.enable_truncation(length + made.num_special_tokens_to_add(False))
    content: str = made.to_str(pretty=True)
    return content.encode()
