"""Makes `.venv-fastchat/`: FastChat, which the tests start to see that Footnote works with a real one. Not for users.

Its last release (2024) writes streams with a method that pydantic 2 refuses, so it gets pydantic 1 and an older
fastapi, beside this project's torch. What its package wants only to draw diagrams is left out.
"""

from pathlib import Path

from scripts.environment import ROOT, begin, check_disk, fingerprint, finish, is_ready, say, uv_install

LOCK = ROOT / "tools" / "fastchat" / "requirements.lock.txt"
NEEDED_BYTES = 1_500_000_000


def ensure_fastchat(folder: Path, uv: Path) -> None:
    """Have FastChat in the environment `folder`, installed with `uv`; nothing is done when it is there and in date."""
    wanted = fingerprint((LOCK,))
    if is_ready(folder, wanted):
        return
    check_disk(ROOT, NEEDED_BYTES)
    begin(folder)
    say("Installing FastChat, for the tests ...")
    uv_install(folder / "bin" / "python", ["--no-deps", "--requirement", str(LOCK)], uv=uv)
    finish(folder, wanted)
