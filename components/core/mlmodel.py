"""A version's MLmodel file: what Winnow writes into it, and that a found one says nothing else. Read as plain data."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from components.core import plain_yaml
from components.core.config import LARGEST
from components.core.errors import WinnowError

EXAMPLE = "serving_input_example.json"  # samples as a client sends them; MLflow's name
_Flavors = dict[str, dict[str, Any]]
_OURS: _Flavors = {"python_function": {"loader_module": "components.models.serving", "data": "weights"}}
_BEFORE: _Flavors = {  # before: a program beside the weights, which is no longer read
    "python_function": {
        "loader_module": "mlflow.pytorch",
        "pickle_module_name": "mlflow.pytorch.pickle_module",
        "data": "data",
        "config": {"device": None},
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    },
    "pytorch": {"code": None, "model_data": "data"},
}
_FREE = ("python_version", "pytorch_version")  # of whoever registered it


def description(classes: Sequence[str], dtype: str, shape: Sequence[int]) -> dict[str, Any]:
    """What stands in MLmodel for a classifier of samples `(N, *shape)`: the same for the same model."""
    samples = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, *shape]}}
    answers = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, len(classes)]}}
    return {
        "flavors": _OURS,
        "metadata": {
            "classes": json.dumps(list(classes)),
            "output": "probability of each class, in the order of `classes`",
        },
        "mlflow_version": version("mlflow"),
        "saved_input_example_info": {"artifact_path": EXAMPLE, "serving_input_path": EXAMPLE, "type": "ndarray"},
        "signature": {"inputs": json.dumps([samples]), "outputs": json.dumps([answers]), "params": None},
    }


def says(path: Path, facts: dict[str, Any]) -> bool:
    """Whether the MLmodel file, in which nothing is `foreign`, says just these facts, by whichever MLflow."""
    found = _read(path)
    return bool({**found, "mlflow_version": ""} == {**facts, "mlflow_version": ""})


def foreign(path: Path) -> str:
    """What in the MLmodel file at `path` is not of our making, in words; empty where all of it is."""
    if path.stat().st_size > LARGEST:
        return f"its MLmodel is larger than {LARGEST >> 20} MB"
    try:
        facts = _read(path)
    except (ValueError, yaml.YAMLError, WinnowError):
        return "its MLmodel is not plain YAML"
    flavors = facts.get("flavors") if isinstance(facts, dict) else None
    if not isinstance(flavors, dict) or not all(isinstance(flavor, dict) for flavor in flavors.values()):
        return "its MLmodel has no flavors"
    told = {name: {key: value for key, value in flavor.items() if key not in _FREE} for name, flavor in flavors.items()}
    for known in (_OURS, _BEFORE):
        if told.keys() == known.keys():
            return _differing(told, known)
    return f"its flavors are {', '.join(sorted(map(str, told)))[:80]}"


def _read(path: Path) -> Any:
    return plain_yaml.load(path.read_text(encoding="utf-8"), path.name)


def _differing(told: _Flavors, known: _Flavors) -> str:
    for name, flavor in known.items():
        for key in sorted(map(str, flavor.keys() | told[name].keys())):
            if told[name].get(key) != flavor.get(key):
                return f"its MLmodel says {key}: {str(told[name].get(key))[:80]}"
    return ""
