"""bfloat16 only where it is native, unless it is asked for."""

from pathlib import Path

import pytest
import torch

from components.training import precision
from components.training.precision import autocast

CPU = torch.device("cpu")


@pytest.mark.parametrize(("flags", "native"), [("fma avx2", False), ("avx512f avx512_bf16", True), ("amx_bf16", True)])
def test_auto_goes_by_the_processors_instructions(
    flags: str, native: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    with autocast("auto", CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if native else torch.float32)


def test_a_choice_is_obeyed() -> None:
    with autocast("bfloat16", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with autocast("float32", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
