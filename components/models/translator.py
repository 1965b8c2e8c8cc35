"""A translation model that others trained, out of its folder: texts in, texts out; no code of the folder runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.core.config import validated
from components.core.errors import WinnowError
from components.models.likely import drawn
from components.models.sound_tensors import read_tensors, unsound
from components.models.t5 import T5

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILES = ("config.json", "model.safetensors", "tokenizer.json")
LARGEST = 2**27  # bytes of a file of settings or pieces
SAME = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}  # in some files, the table a second time
TOGETHER = 32  # texts of like length at a time
LONGER = 1.5  # times as many pieces as the text has, and MORE, are written at most
MORE = 10


class Translator:
    """prefix: what is written before each text, such as `translate English to German: `, as the model was trained."""

    def __init__(self, network: T5, tokenizer: "Tokenizer", prefix: str, end: int, begin: int) -> None:
        self.network, self.tokenizer, self.prefix = network.eval(), tokenizer, prefix
        self.end, self.begin = end, begin

    def __call__(self, texts: Sequence[str], lots: npt.NDArray[np.float32], among: int) -> list[str]:
        """Their translations. lots: `(N, M)` in [0, 1), by which each piece is drawn of the `among` likeliest; M bounds
        the pieces read and written.
        """
        pieces = [self._pieces(text, lots.shape[1]) for text in texts]
        order = sorted(range(len(texts)), key=lambda row: (len(pieces[row]), row))
        found = [""] * len(texts)
        for start in range(0, len(order), TOGETHER):
            rows = order[start : start + TOGETHER]
            said = self._written([pieces[row] for row in rows], torch.from_numpy(lots[rows]), among)
            for row, text in zip(rows, self.tokenizer.decode_batch(said), strict=True):
                found[row] = text
        return found

    def _pieces(self, text: str, most: int) -> list[int]:
        found = [one for one in self.tokenizer.encode(self.prefix + text).ids if one != self.end]
        return [*found[: most - 1], self.end]

    @torch.inference_mode()
    def _written(self, pieces: list[list[int]], lots: Tensor, among: int) -> list[list[int]]:
        device = self.network.table.weight.device
        longest = max(map(len, pieces))
        numbers = torch.tensor([[*one, *[0] * (longest - len(one))] for one in pieces], device=device)
        mask = torch.arange(longest, device=device) < torch.tensor([len(one) for one in pieces], device=device)[:, None]
        memory = self.network.remember(self.network.read(numbers, mask))
        said = torch.full((len(pieces), 1), self.begin, device=device)
        open_, before, written = torch.ones(len(pieces), dtype=torch.bool, device=device), None, []
        for step in range(min(lots.shape[1], int(LONGER * longest) + MORE)):
            scores, before = self.network.write(said, before, memory, mask)
            said = drawn(scores[:, -1].float(), lots[:, step].to(device), among)[:, None]
            written.append(torch.where(open_, said[:, 0], self.end))
            open_ &= said[:, 0] != self.end
            if not open_.any():
                break
        return [[one for one in row if one != self.end] for row in torch.stack(written, 1).tolist()]


def load_translator(folder: Path, prefix: str) -> Translator:
    """The T5 in the folder: config.json, model.safetensors in one file, tokenizer.json.

    Raises WinnowError for anything else.
    """
    from tokenizers import Tokenizer

    for name in FILES:
        if not (folder / name).is_file():
            raise _wrong(folder, f"it holds no {name}")
    weights = read_tensors(folder / FILES[1], "give the folder anew")
    try:
        if any((folder / name).stat().st_size > LARGEST for name in (FILES[0], FILES[2])):
            raise ValueError("its settings or its pieces are too large")
        facts: Any = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))
        if facts["model_type"] != "t5":
            raise ValueError(f"it is a model of {facts['model_type']}")
        shape = _shape(facts)
        end, begin = (int(facts.get(f"{name}_token_id") or first) for name, first in (("eos", 1), ("decoder_start", 0)))
        with torch.device("meta"):  # as large as the file at most, whatever the settings say
            network = T5(shape, own_scores="lm_head.weight" in weights)
        network.load_state_dict(_fitting(network, weights), assign=True)
        tokenizer = Tokenizer.from_file(str(folder / FILES[2]))
        if tokenizer.get_vocab_size() > shape.symbols or not max(end, begin) < shape.symbols:
            raise ValueError("its pieces are more than its network knows")
    except Exception as error:  # tokenizers raises Exception itself
        raise _wrong(folder, (str(error).splitlines() or [type(error).__name__])[0][:120]) from None
    return Translator(network.float(), tokenizer, prefix, end, begin)


def _shape(facts: dict[str, Any]) -> T5.Shape:
    known = {field.alias for field in T5.Shape.model_fields.values()}
    own = {name: value for name, value in facts.items() if name in known and value is not None}
    scaled = facts.get("tie_word_embeddings") is not False  # what files before transformers 5 mean by that
    values = {"num_decoder_layers": own.get("num_layers", 6), "scale_decoder_outputs": scaled, **own}
    return validated(T5.Shape, values, where="config.json")


def _fitting(network: T5, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The file's weights by the network's names. Raises ValueError for one too many, lacking, misshapen or unsound."""
    names, own = dict(network.named_as()), network.state_dict()
    left = weights.keys() - {*names.values()} - SAME
    if left:
        raise ValueError(f"'{min(left)[:80]}' is none of its weights")
    found = {}
    for here, there in names.items():
        if there not in weights or weights[there].shape != own[here].shape:
            what = tuple(weights[there].shape) if there in weights else "absent"
            raise ValueError(f"'{there}' is {what} where {tuple(own[here].shape)} is expected")
        if problem := unsound(there, weights[there], own[here]):
            raise ValueError(problem)
        found[here] = weights[there]
    return found


def _wrong(folder: Path, why: str) -> WinnowError:
    return WinnowError(
        f"{folder} is no translation model that is read here ({why}): give a folder of a T5 with {', '.join(FILES)}, "
        "as transformers' save_pretrained writes it."
    )
