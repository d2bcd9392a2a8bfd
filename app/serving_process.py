"""What a program started by this one gets of it, and how it ends with it. Knows nothing of servers."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # of Linux's prctl
_OWN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")  # this program's own Python must not leak into vLLM's


def inherited_environment() -> dict[str, str]:
    """Give this program's environment without what speaks of its own Python."""
    return {name: value for name, value in os.environ.items() if name not in _OWN}


def _tell_to_stop() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


# For `preexec_fn`: the child is told to stop should this program be killed without a chance to do it.
END_WITH_THIS_PROCESS: Callable[[], None] | None = _tell_to_stop if sys.platform == "linux" else None
