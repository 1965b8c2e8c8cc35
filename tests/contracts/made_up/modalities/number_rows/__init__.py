"""Rows of numbers, a text file each: a kind of data that only the tests have."""

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.core.seeds import uniform
from components.datasets.records import Content, Record, Unreadable
from components.datasets.sample_store import Samples
from components.modalities import Input, Modality, Plain, Positions, Statistics, View


class NumberRows(Modality):
    """Views are standardized, with noise."""

    class Config(BaseConfig):
        """count: numbers of a row."""

        count: int = Field(8, ge=1)

    class Policy(BaseConfig):
        """noise: how far a number may move, in deviations."""

        noise: float = Field(0.0, ge=0)

    gives, noun, dtype = "numbers", ("row", "rows"), "float32"
    suffixes, facts = frozenset({".row"}), pa.schema([("numbers", pa.int32())])

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.shape = (config.count,)

    def read(self, content: Content) -> Record:
        try:
            values = np.array(bytes(content).decode().split(), np.float32)
        except ValueError:
            raise Unreadable("no row of numbers.", "no_picture") from None
        if len(values) != self.config.count:
            raise Unreadable(f"{len(values)} numbers where {self.config.count} belong.")
        return Record(values, {"numbers": len(values)})

    def measure(self, samples: Samples, rows: Positions) -> Statistics:
        return {"mean": samples[rows].mean(0).tolist(), "std": samples[rows].std(0).tolist()}

    def input(self, statistics: Statistics | None) -> Input:
        return Input(self.gives, self.shape)

    def plain(self, statistics: Statistics) -> Plain:
        mean, std = (torch.tensor(statistics[name]) for name in ("mean", "std"))
        return lambda records: (records - mean) / std

    def view(self, policy: Policy, statistics: Statistics) -> View:
        plain, count = self.plain(statistics), self.config.count

        def look(records: Tensor, keys: Positions, seed: int) -> Tensor:
            return plain(records) + policy.noise * (2 * torch.from_numpy(uniform(seed, keys, count)) - 1)

        return look
