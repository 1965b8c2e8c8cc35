"""A process of its own that searches texts by regular expressions, which the system ends where one takes too long.

Python's `re` tries every way to match, of which a short pattern may have more than there are seconds, and nothing in
the same process stops it for sure. The kernel's limit on CPU time does, whatever it is busy with.
"""

import json
import math
import os
import re
import resource
import signal
import sys
import time

MEMORY = 4 << 30  # bytes of address space


def main() -> None:
    """Standard input: a line with patterns and CPU seconds for each; then lines of texts. All of it JSON.

    Standard output: a line for each pattern, empty or why it is none; then for each line of texts a line for each
    pattern with the places of the texts that it is found in. One that takes too long ends the process by SIGXCPU.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    patterns, seconds = json.loads(sys.stdin.readline())
    compiled, left = [], [float(seconds)] * len(patterns)
    for number, pattern in enumerate(patterns):
        began = _allow(left[number])
        try:
            compiled.append(re.compile(pattern, re.IGNORECASE))
            _tell("")
        except (re.error, RecursionError, OverflowError, MemoryError) as error:
            _tell(str(error) or "too large")
        left[number] -= time.process_time() - began
    for line in sys.stdin:
        _allow(math.inf)
        texts = json.loads(line)
        for number, regex in enumerate(compiled):
            began = _allow(left[number])
            _tell([row for row, text in enumerate(texts) if regex.search(text)])
            left[number] -= time.process_time() - began


def _allow(seconds: float) -> float:
    """From now on the process may take so much CPU time, rounded up to whole seconds; returns what it has taken."""
    now = time.process_time()
    if seconds <= 0:
        os.kill(os.getpid(), signal.SIGXCPU)
    soft = resource.RLIM_INFINITY if math.isinf(seconds) else math.ceil(now + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    return now


def _tell(found: object) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
