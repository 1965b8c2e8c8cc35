"""Where to compute and how precisely: the accelerator if there is one, bfloat16 where the hardware has it."""

from pathlib import Path
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]
CPUINFO = Path("/proc/cpuinfo")


def choose_device() -> torch.device:
    """The current CUDA device, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context to compute in. `auto` is bfloat16 where it is native: without the instructions it is slower."""
    bfloat16 = precision == "bfloat16" or (precision == "auto" and _has_bfloat16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = CPUINFO.read_text(encoding="utf-8") if CPUINFO.is_file() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags
