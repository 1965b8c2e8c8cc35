"""Edits at the wrong moment: while a stage runs, and between its end and DVC's recording of it.

`python -m benchmarks.edits`, or with names of stages. A project on 90 small pictures runs once; then each stage runs
again and again, is halted when it has begun its work, something is edited, and it goes on. It must stop and name what
changed, nothing recorded, or, where the edit cannot concern it, end well with the same bytes.
`python -m benchmarks.edits between`: the process that is halted is DVC's, until the stage has ended.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from benchmarks._pipeline import processes, project_copy
from components.core.dag import StageSpec, read_stages
from components.core.files import sha256

SETTINGS = {  # as little work as shows every stage
    "ingest": {"source": "pictures", "modality": {"name": "image", "image_size": 16, "channels": 1}},
    "pretrain": {"epochs": 1, "workers": 0},
    "label": {"budget": 20},
    "finetune": {"epochs": 1, "guard_epochs": 0},
    "evaluate": {"resamples": 200},
    "select": {"budget": 5},
}
OWN = {  # a setting of each stage that has some, and another value for it
    "ingest": ("test_fraction", 0.3),
    "validate": ("max_unreadable", 0.06),
    "augment": ("policies", {"weak": {"rotate": 11}, "view": {"rotate": 11}, "strong": {"rotate": 11}}),
    "pretrain": ("learning_rate", 0.003),
    "embed": ("neighbors", 14),
    "label": ("folds", 4),
    "pseudo_label": ("threshold", 0.7),
    "finetune": ("learning_rate", 0.002),
    "evaluate": ("resamples", 300),
    "audit": ("audited", 30),
    "select": ("budget", 6),
    "register": ("gate", {"metric": "accuracy", "minimum_gain": 0.0, "confidence": 0.9}),
}
LEDGER = Path("data/labels/ledger.csv")
ROW = b"0000000000000000,a,me,person,,,,\n"
DVC = "pipelines.dvc repro"
COMMANDS = ("pipelines.cli repro --from {}", "pipelines.cli run --from {}", DVC + " -f {}")


@dataclass(frozen=True)
class Edit:
    """What a file becomes (None: it is removed), and what must be said of it; None: it cannot concern the stage."""

    what: str
    path: Path
    change: Callable[[bytes], bytes | None]
    said: str | None
    back: bool = False  # changed back at once

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What the file was, times included, it is again after the block."""
        there = self.path.exists()
        content, times = (self.path.read_bytes(), self.path.stat()) if there else (b"", None)
        yield
        _write(self.path, content if there else None)
        if times:
            os.utime(self.path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def make(self) -> None:
        """As editors and git do: aside, then renamed."""
        before = self.path.read_bytes() if self.path.exists() else b""
        _write(self.path, self.change(before))
        if self.back:
            _write(self.path, before)


def main(*names: str) -> None:
    """Print a line for every edit: what, how it ended, what was said; at the end how many did not end as they must."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "project"
        _make(place)
        os.chdir(place)
        specs = read_stages()
        if names == ("between",):
            rights = [_between(command, *edit) for command in COMMANDS for edit in _edits_between()]
        else:
            rights = [right for name in names or OWN for right in _during(specs[name])]
        print(f"{len(rights)} edits, {rights.count(False)} of them not as they must")


def _make(place: Path) -> None:
    """The project with a folder of pictures beside it, run once."""
    pictures, chance = place.parent / "pictures", np.random.default_rng(0)
    for name, pattern in {"a": np.eye(16), "b": np.eye(16)[::-1], "c": np.zeros((16, 16))}.items():
        (pictures / name).mkdir(parents=True)
        for index in range(30):
            pixels = (pattern * 120 + chance.uniform(0, 130, (16, 16))).astype(np.uint8)
            Image.fromarray(pixels).save(pictures / name / f"{index}.png")
    project_copy(place, **{**SETTINGS, "ingest": {**SETTINGS["ingest"], "source": str(pictures)}})
    code, said = _end(_start("pipelines.cli repro", place))
    if code:
        sys.exit(said)


def _during(spec: StageSpec) -> Iterator[bool]:
    """Whether every edit ended as it must, and what a person does who keeps one."""
    edits = _edits_of(spec)
    for edit in edits:
        yield _try(spec.name, edit)
    yield _kept(spec.name, edits[0])


def _edits_of(spec: StageSpec) -> list[Edit]:
    """Every kind of edit that may concern one stage, a setting of its own first, and those that cannot."""
    name, read = spec.name, [(path / "README.md" if path.is_dir() else path, str(path)) for path in spec.data]
    code, params, pictures = Path(f"components/stages/{name}.py"), Path("params.yaml"), Path("../pictures").resolve()
    other = "embed" if name == "select" else "select"
    own = Edit("a setting", params, _setting(name, *OWN[name]), f"{name}.{OWN[name][0]}")
    more = {"ingest": Edit("a picture added", pictures / "a/new.png", lambda _: b"new", str(pictures))}
    return [
        own,
        Edit("an input", read[0][0], lambda content: content + b"\n", read[0][1]),
        Edit("an input is gone", read[0][0], lambda _: None, read[0][1]),
        *([Edit("a ledger row", LEDGER, lambda text: text + ROW, str(LEDGER))] if LEDGER in spec.data else []),
        *([more[name]] if name in more else []),
        Edit("its code", code, lambda text: text + b"# edited\n", str(code)),
        Edit("its code, and back", code, lambda text: text + b"# edited\n", str(code), back=True),
        Edit("its block", Path("dvc.yaml"), _new_dependency(name), "dvc.yaml"),
        replace(own, what="a setting, and back", said=None, back=True),
        Edit("others' settings", params, _setting(other, *OWN[other]), None),
    ]


def _edits_between() -> list[tuple[str, Edit]]:
    code = Path("components/stages/select.py")
    edits = [
        ("evaluate", Edit("a setting", Path("params.yaml"), _setting("evaluate", *OWN["evaluate"]), "evaluate.")),
        ("label", Edit("a ledger row", LEDGER, lambda text: text + ROW, str(LEDGER))),
        ("select", Edit("its code", code, lambda text: text + b"# edited\n", str(code))),
    ]
    return [(stage, replace(edit, back=back)) for stage, edit in edits for back in (False, True)]


def _try(stage: str, edit: Edit) -> bool:
    """Edit while the stage runs: it ends as it must, and what was recorded and written before is what is there."""
    before = _state()
    command = f"{DVC} -sf {stage}" if edit.said is None else f"components.core.stage {stage}"
    with edit.undone():
        code, line = _while_it_runs(command, stage, edit)
    stopped = code == 1 and (edit.said or "") in line and f"changed while {stage} ran" in line
    right = (code == 0 if edit.said is None else stopped) and _state() == before
    return _tell(stage, edit.what, code, line, right)


def _kept(stage: str, edit: Edit) -> bool:
    """A setting edited under DVC: nothing is recorded; run again it is recorded; changed back all is as it was."""
    before = _state()
    with edit.undone():
        code, line = _while_it_runs(f"{DVC} -sf {stage}", stage, edit)
        kept = _state()["dvc.lock"] == before["dvc.lock"]
        again, _ = _end(_start(f"{DVC} -s {stage}"))
        recorded = yaml.safe_load(Path("dvc.lock").read_text())["stages"][stage]["params"]["params.yaml"]
        right = code != 0 and str(edit.said) in line and kept and again == 0 and recorded[stage] == _settings()[stage]
    back, _ = _end(_start(f"{DVC} -s {stage}"))
    return _tell(stage, "a setting, kept, run again, back", code, line, right and back == 0 and _state() == before)


def _between(command: str, stage: str, edit: Edit) -> bool:
    """Edit when the stage has ended and DVC has not looked yet, back when it has: named, not recorded, then right."""
    before = _state()
    with edit.undone():
        child = _start(command.format(stage))
        pid = _begun(stage, child)
        (dvc,) = [one for one, line in processes(child.pid).items() if DVC in line]
        os.kill(dvc, signal.SIGSTOP)
        while _alive(pid):
            time.sleep(0.02)
        _write(edit.path, edit.change(content := edit.path.read_bytes()))
        recorded = Path("dvc.lock").stat().st_mtime_ns
        os.kill(dvc, signal.SIGCONT)
        while Path("dvc.lock").stat().st_mtime_ns == recorded and child.poll() is None:
            time.sleep(0.005)
        if edit.back:
            _write(edit.path, content)
        code, line = _end(child)
        held = stage in yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    again, _ = _end(_start("pipelines.cli repro"))
    right = code == 1 and f"changed while DVC recorded {stage}" in line and not held and again == 0
    what = f"{edit.what}{', and back' * edit.back} ({command.format(stage)})"
    now = _state()
    other = ", ".join(name for name in now if now[name] != before.get(name)) or "as before"
    return _tell(stage, what, code, f"{line} [in dvc.lock: {held}; then {other}]", right and now == before)


def _while_it_runs(command: str, stage: str, edit: Edit) -> tuple[int, str]:
    """Stop the stage when it begins its work, edit, let it go on; its exit code and sentence."""
    child = _start(command)
    pid = _begun(stage, child)
    os.kill(pid, signal.SIGSTOP)
    edit.make()
    os.kill(pid, signal.SIGCONT)
    return _end(child)


def _begun(stage: str, child: "subprocess.Popen[str]") -> int:
    """The stage's process, once all that it reads has been hashed."""
    while not (found := list(Path(".winnow/tmp").glob(f"{stage}-*/outputs"))):
        if child.poll() is not None:
            sys.exit(f"{stage} ended before it was seen: {_end(child)}")
        time.sleep(0.002)
    return int(found[0].parent.name.rsplit("-", 1)[1])


def _alive(pid: int) -> bool:
    """Whether it is at work: a process that has ended stays in the list until its parent, which is stopped, looks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _start(command: str, place: Path | None = None) -> "subprocess.Popen[str]":
    home = place or Path.cwd()
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PYTHONPATH": str(home), "PATH": here, "DVC_NO_ANALYTICS": "1"}
    environment["DVC_SITE_CACHE_DIR"] = str(home / ".winnow/dvc")
    if command.startswith("components"):
        environment["WINNOW_PIPELINE_RUN"] = "none"  # nobody delivers to MLflow
    line, pipe = [sys.executable, "-m", *command.split()], subprocess.PIPE
    return subprocess.Popen(line, cwd=home, env=environment, text=True, stdout=pipe, stderr=subprocess.STDOUT)


def _end(child: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code, and the last sentence of ours, or the end of what was printed where there is none."""
    said = child.communicate()[0]
    ours = [line for line in said.splitlines() if line.startswith("winnow:")]
    return child.returncode, ours[-1] if ours else said[-500:] if child.returncode else ""


def _state() -> dict[str, Any]:
    """What is recorded, in whatever order, and every output's digest."""
    outputs = [path for spec in read_stages().values() for path in spec.outputs]
    digests = {path.as_posix(): sha256(path) if path.exists() else None for path in outputs}
    return {"dvc.lock": yaml.safe_load(Path("dvc.lock").read_text()), **digests}


def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text())
    return settings


def _setting(block: str, name: str, value: Any) -> Callable[[bytes], bytes]:
    def change(text: bytes) -> bytes:
        params = yaml.safe_load(text)
        return yaml.safe_dump({**params, block: {**params[block], name: value}}, sort_keys=False).encode()

    return change


def _new_dependency(stage: str) -> Callable[[bytes], bytes]:
    def change(text: bytes) -> bytes:
        before, head, block = text.partition(f"\n  {stage}:\n".encode())
        return before + head + block.replace(b"    deps:\n", b"    deps:\n      - README.md\n", 1)

    return change


def _write(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    aside = path.parent.parent / "aside"
    aside.write_bytes(content)
    aside.replace(path)


def _tell(stage: str, what: str, code: int, line: str, right: bool) -> bool:
    print(f"{'as it must' if right else 'WRONG':10} {stage:12} {what:34} exit {code}  {line}", flush=True)
    return right


if __name__ == "__main__":
    main(*sys.argv[1:])
