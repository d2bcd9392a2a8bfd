"""How many cores there are to work with."""

import os


def n_cores() -> int:
    """Count the cores that this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
