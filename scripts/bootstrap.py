"""`make run` and `make test` from nothing: find a Python that is new enough, then hand over to scripts/setup_steps.py.

Only this file may meet an old Python, so it uses nothing that Python 3.6 can't read, and nothing outside the standard
library.
"""

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OLDEST = (3, 11)
OTHER_NAMES = ("python3.11", "python3.12", "python3.13", "python3.14", "python3", "python")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120


def other_python(names: "Sequence[str]" = OTHER_NAMES) -> "str | None":
    """Give the path of a Python that is new enough and can make environments, under one of `names`; None if none is."""
    probe = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {OLDEST!r})"
    for name in names:
        path = shutil.which(name)
        if path is None:
            continue
        devnull = subprocess.DEVNULL
        if subprocess.call([path, "-c", probe], stdin=devnull, stdout=devnull, stderr=devnull) == 0:
            return path
    return None


def why_not(version: "Sequence[int]", has_venv: bool) -> "str | None":
    """Say in a sentence why the Python of `version` will not do; None when it will."""
    here = ".".join(str(number) for number in version[:3])
    wanted = ".".join(str(number) for number in OLDEST)
    if tuple(version[:2]) < OLDEST:
        return (
            f"Footnote needs Python {wanted} or newer and this is {here}; install one "
            f"(Debian: apt-get install python{wanted} python{wanted}-venv), or name it: make run PYTHON=/path/to/python"
        )
    if not has_venv:
        return (
            f"Python {here} has no venv or ensurepip module, which making an environment needs; install it "
            f"(Debian: apt-get install python{version[0]}.{version[1]}-venv)"
        )
    return None


def can_make_environments() -> bool:
    """Tell whether this Python has what `python -m venv` needs: Debian splits it off."""
    try:
        import ensurepip
        import venv
    except ImportError:
        return False
    return bool(ensurepip and venv)


def main() -> None:
    """Run the set-up with this Python or, where it will not do, with another one on the search path."""
    problem = why_not(sys.version_info[:3], can_make_environments())
    if problem is None:
        sys.path[0] = ROOT
        from scripts.setup_steps import main as set_up

        sys.exit(set_up(sys.argv[1:]))
    path = other_python()
    if path is None:
        sys.exit("footnote: " + problem)
    os.execv(path, [path, os.path.abspath(__file__), *sys.argv[1:]])  # noqa: PTH100


if __name__ == "__main__":
    main()
