#!/usr/bin/env python3
"""Runs a command and tells what it took: wall and CPU seconds, and the memory of the largest of its processes.

As a program (`measure.py COMMAND [ARGUMENT...]`) it prints that as JSON. It is small itself, since a process is
counted with what its parent held when it was made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def measured(command: list[str]) -> dict[str, float]:
    """Run `command`, its output thrown away. Raises `CalledProcessError` when it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1:])))
