"""A folder that sentence-transformers loads: modules in a row, each with its settings, weights and vocabulary."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from components.core.files import replacing

VERSION: dict[str, Any] = {
    "__version__": {},
    "prompts": {},
    "default_prompt_name": None,
    "similarity_fn_name": "cosine",
}


def sentence_folder(folder: Path, modules: Mapping[str, str], files: Mapping[str, Any]) -> None:
    """Write it: `modules`, the library's classes by the folder of each, and `files` by path.

    A file is bytes, a dict of tensors (safetensors), or else what JSON holds.
    """
    listed = [
        {"idx": number, "name": str(number), "path": place, "type": f"sentence_transformers.models.{kind}"}
        for number, (place, kind) in enumerate(modules.items())
    ]
    own = {"modules.json": listed, "config_sentence_transformers.json": VERSION}
    for place in modules:
        (folder / place).mkdir(parents=True, exist_ok=True)
    for name, content in {**own, **files}.items():
        with replacing(folder / name) as aside:
            aside.write_bytes(_bytes(content))


def _bytes(content: Any) -> bytes:
    from safetensors.torch import save

    if isinstance(content, bytes):
        return content
    if isinstance(content, dict) and content and all(isinstance(one, Tensor) for one in content.values()):
        return save(content, metadata={"format": "pt"})
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
