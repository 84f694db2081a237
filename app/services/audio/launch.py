"""Sets the resource limits of a child process, then becomes the program that it was given.

Run as a script: ``python -I -S launch.py CPU_S MEMORY_BYTES OUTPUT_BYTES PROGRAM ARGUMENT…``. It stands
between the service and the program because code between fork and exec may hang in a process with threads.
"""

from __future__ import annotations

import os
import resource
import sys

OPEN_FILES = 64
CANNOT_START = 126


def main(arguments: list[str]) -> int:
    cpu_s, memory_bytes, output_bytes = (int(value) for value in arguments[:3])
    command = arguments[3:]
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    _limit(resource.RLIMIT_CPU, cpu_s)
    _limit(resource.RLIMIT_FSIZE, output_bytes)
    _limit(resource.RLIMIT_AS, memory_bytes)
    try:
        os.execv(command[0], command)  # noqa: S606  an argument list, never a shell
    except OSError as error:
        sys.stderr.write(f"cannot start: {error.strerror}\n")
    return CANNOT_START


def _limit(kind: int, wanted: int) -> None:
    """Soft and hard limit alike, so that the program cannot raise or outlive it."""
    hard = resource.getrlimit(kind)[1]
    value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        # macOS knows no limit on address space; every other limit stands there.
        if kind != resource.RLIMIT_AS:
            raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
