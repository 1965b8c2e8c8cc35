"""Stages called too early, on broken files, or with settings that no training survives."""

from pathlib import Path

from bad_input_cases.case import SHORT, Case, cut
from components.core import stage

STAGES = [
    Case("a stage that does not exist", "lable", "choose from"),
    Case("a stage before what it needs", "pseudo_label", "dvc repro pseudo_label"),
    Case("vectors cut short", "label", "dvc repro", do=cut("data/embed/embeddings.npy")),
    Case("a picture store cut short", "augment", "dvc repro", do=cut("data/ingest/samples.npy")),
    Case(
        "a batch larger than the pool",
        "pretrain",
        "lower pretrain.batch_size",
        0,
        settings=SHORT,
        do=lambda: stage.main("augment"),
    ),
    Case(
        "a learning rate of a million",
        "pretrain",
        "lower pretrain.learning_rate",
        settings={**SHORT, "pretrain.learning_rate": 1e6, "pretrain.batch_size": 8},
        do=lambda: stage.main("augment"),
    ),
    Case("an output that cannot be written", "label", "data/label", do=lambda: Path("data/label").write_text("")),
]
