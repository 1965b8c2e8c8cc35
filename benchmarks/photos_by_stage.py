"""What photos cost: seconds, CPU seconds and peak memory of every stage, by the settings that `winnow photos` writes.

`python -m benchmarks.photos_by_stage --root FOLDER`, FOLDER being `train|val/<class>/*` or class folders; `--labels`,
`--size`, `--threads` choose. The weights are those of `winnow weights add efficientnet_lite0`. Every stage is a process
of its own, as under DVC; register, which only delivers, is left out. A line of JSON for each stage.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks._measured import measured
from benchmarks.given_weights import settings_for
from pipelines.inline import LABELED, UNLABELED

STAGES = (*UNLABELED, *LABELED, "audit", "select")


def main() -> None:
    """Run every stage, one after another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photos_by_stage", description=__doc__)
    parser.add_argument("--root", required=True, help="folder of the photos")
    for name, usual in (("labels", 100), ("size", 224), ("threads", 2), ("classes", 10)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    params = settings_for(asked.root, size=asked.size, labels=asked.labels, classes=asked.classes)
    params["threads"] = asked.threads
    with tempfile.TemporaryDirectory() as folder:
        for stage in STAGES:
            print(json.dumps({"stage": stage, **measured(stage, Path(folder), params)}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
