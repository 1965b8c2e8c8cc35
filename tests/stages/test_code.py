"""Stage code: a file for each stage that it is asked for, with the digests of what that stage stands on."""

import json
from pathlib import Path

from components.core.code import digests
from components.core.config import read_params
from components.stages import code

ROOT = Path(__file__).resolve().parents[2]


def test_it_writes_what_each_stage_stands_on(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    outputs = {name: tmp_path / f"{name}.json" for name in ("validate", "embed")}
    figures = code.run(params=code.Params(), settings=read_params(), **outputs)
    found = {name: json.loads(path.read_text()) for name, path in outputs.items()}
    assert found == {name: digests(name, read_params()) for name in outputs}
    assert figures == {"files": float(len({*found["validate"], *found["embed"]}))}
