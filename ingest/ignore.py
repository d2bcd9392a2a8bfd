"""Which files of a folder are left out: by `.footnoteignore` (gitignore's syntax), hidden names, tools' folders.

Knows names, not contents. Rules of an inner folder weigh more than those of an outer one, and `!name` takes a file in
again, a hidden one and a tool's folder too.
"""

from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

IGNORE_FILE = ".footnoteignore"
_FURNITURE = frozenset({"node_modules", "__pycache__", "site-packages"})  # what installers and compilers fill


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules of one `.footnoteignore`, for the paths below its folder."""

    folder: Path
    spec: GitIgnoreSpec


def read_rules(folder: Path) -> IgnoreRules | None:
    """Read a folder's own rules; None when it has none. Raises OSError or ValueError when they can't be read."""
    path = folder / IGNORE_FILE
    if not path.is_file():
        return None
    return IgnoreRules(folder, GitIgnoreSpec.from_lines(path.read_text(encoding="utf-8-sig").splitlines()))


def reason_to_ignore(path: Path, rules: tuple[IgnoreRules, ...], *, is_folder: bool) -> str | None:
    """Say why a file or folder is left out; None when it isn't. `rules` run from the outermost folder inwards."""
    for rule in reversed(rules):
        name = path.relative_to(rule.folder).as_posix() + ("/" if is_folder else "")
        result = rule.spec.check_file(name)
        if result.include is not None:
            return f"is ignored by {rule.folder.name}/{IGNORE_FILE}" if result.include else None
    if is_folder and path.name in _FURNITURE:
        return f"holds what a tool put there; !{path.name}/ in a {IGNORE_FILE} takes it in"
    return "is hidden" if path.name.startswith(".") else None
