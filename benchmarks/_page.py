"""What sections of docs/methods.md share: titles of data sets, kept figures by data set, a method's name and source."""

import inspect
import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from benchmarks.self_supervised import RESULTS
from components.core import plugins

DATA = {
    "digits": "Digits, 32x32 gray, 1,290 training and 507 test pictures",
    "fashion": "Fashion-MNIST, 28x28 gray, 60,000 training and 10,000 test pictures",
    "fashion_networks": "Fashion-MNIST again, judged by networks as in the settings that ship",
    "fashion_gpu": "Fashion-MNIST on a GPU",
}
SOURCE = re.compile(r"([A-Z][^;:]*? \d{4})\b[^;]*?(https?://[^\s,;)]+)")  # authors and year, and the address


def kept_by_data(name: str) -> Iterator[tuple[str, str, Any]]:
    """Data set, its title and the figures of every data set that the benchmark `name` has kept some of."""
    for data, title in DATA.items():
        path = RESULTS / f"{name}_{data}.json"
        if path.is_file():
            yield data, title, json.loads(path.read_text())


def of_method(name: str, family: str = "self_supervised") -> tuple[str, str]:
    """Its class's name, and authors and year linked to the paper, both as its own file gives them."""
    plugin = plugins.load(family, name)
    paper = SOURCE.search(" ".join((inspect.getdoc(import_module(plugin.__module__)) or "").splitlines()[1:]))
    paper = paper or SOURCE.search(" ".join((inspect.getdoc(plugin) or "").splitlines()))
    assert paper is not None, f"{name}.py names no paper with its year and address"
    title = f"[{plugin.__name__}](../components/methods/{family}/{name}.py)"
    return title, f"[{paper[1]}]({paper[2].rstrip('.')})"
