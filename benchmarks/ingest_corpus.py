"""A number of bytes in, a folder of real manuals out: HTML, text and PDF from Debian packages, the same each time."""

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

from app.settings import PROJECT

PACKAGES = ("debian-policy", "debian-reference-en", "debian-reference-zh-cn", "git-doc", "maint-guide-zh-cn",
            "postgresql-doc-15", "bash-doc", "debian-faq")  # fmt: skip
KINDS = {".html": 0.5, ".txt": 0.4, ".pdf": 0.1}  # shares of the bytes
_LARGEST_BYTES = 2_000_000
_CACHE = PROJECT / ".cache" / "ingest-corpus"


def make_corpus(folder: Path, n_bytes: int) -> Path:
    """Copy files of each kind into `folder` until each has its share, in an order that their names' hashes give."""
    for kind, share in KINDS.items():
        left = n_bytes * share
        for path in _files(kind):
            size = path.stat().st_size
            if size <= min(left, _LARGEST_BYTES):
                target = folder / path.relative_to(_unpacked())
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                left -= size
    return folder


def _files(kind: str) -> list[Path]:
    files = (path for path in _unpacked().rglob(f"*{kind}") if path.is_file() and not path.is_symlink())
    return sorted(files, key=lambda path: hashlib.sha256(str(path.relative_to(_unpacked())).encode()).digest())


def _unpacked() -> Path:
    """Give the folder with the packages' files, fetching them the first time; packed texts and PDFs are unpacked."""
    unpacked = _CACHE / "files"
    if unpacked.is_dir():
        return unpacked
    _CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["apt-get", "-o", "APT::Sandbox::User=root", "download", *PACKAGES],
        cwd=_CACHE,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    making = _CACHE / "files.new"
    shutil.rmtree(making, ignore_errors=True)
    for package in sorted(_CACHE.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(making)], check=True)
    for packed in sorted(making.rglob("*.gz")):
        if packed.is_file() and packed.with_suffix("").suffix in KINDS:
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
            packed.unlink()
    making.rename(unpacked)
    return unpacked
