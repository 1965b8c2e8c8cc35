"""Run every benchmark of this folder, or those named: `python -m benchmarks augmentation nt_xent`."""

import pkgutil
import subprocess
import sys

import benchmarks

FOUND = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name[0] != "_"]

if __name__ == "__main__":
    chosen = sys.argv[1:] or FOUND
    if unknown := sorted(set(chosen) - set(FOUND)):
        sys.exit(f"unknown benchmark {', '.join(unknown)}: choose from {', '.join(FOUND)}")
    for name in chosen:
        print(f"\n== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
