"""Print the sample PDFs and DOCX files from their HTML sources.

`data/samples-src/NAME.pdf.html` becomes `data/samples/NAME.pdf` (headless Chromium, fonts embedded) and
`NAME.docx.html` becomes `NAME.docx`. The other samples are written by hand. The results are committed, so only someone
who edits a source runs this: python scripts/make_samples.py [NAME...]
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

import docx
from docx.oxml.ns import qn
from selectolax.lexbor import LexborHTMLParser, LexborNode

DATA = Path(__file__).resolve().parent.parent / "data"
SOURCES = DATA / "samples-src"
SAMPLES = DATA / "samples"
STAMP = datetime(2025, 6, 30)  # written into the files in place of the time of the run

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
)


def main(names: list[str]) -> int:
    sources = sorted(SOURCES.glob("*.html"))
    chosen = [source for source in sources if not names or source.stem in names]
    unknown = set(names) - {source.stem for source in sources}
    if unknown:
        print(f"no source for {', '.join(sorted(unknown))} in {SOURCES}", file=sys.stderr)
        return 2
    for source in chosen:
        target = SAMPLES / source.stem
        if target.suffix == ".pdf":
            print_pdf(source, target)
        else:
            write_docx(source, target)
        print(f"{target.name}: {target.stat().st_size / 1024:.0f} KB")
    return 0


def print_pdf(source: Path, target: Path) -> None:
    """Print one HTML page to a PDF with a fixed creation date."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is missing; run: apt-get install chromium fonts-lxgw-wenkai")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [chromium, *CHROMIUM_FLAGS, f"--user-data-dir={profile}", f"--print-to-pdf={target}", source.as_uri()],
            check=True,
            capture_output=True,
            timeout=120,
        )
    stamp = STAMP.strftime("(D:%Y%m%d%H%M%S+00'00')").encode()
    pattern = rb"(?<=Date )\(D:\d{14}\+00'00'\)"  # the same length, so the offsets in the file stay right
    target.write_bytes(re.sub(pattern, stamp, target.read_bytes()))


def write_docx(source: Path, target: Path) -> None:
    """Write headings, paragraphs and tables of one HTML page to a DOCX, in order."""
    tree = LexborHTMLParser(source.read_text(encoding="utf-8"))
    document = docx.Document()
    normal = document.styles["Normal"]
    normal.font.name = "Calibri"
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "Microsoft YaHei")
    for node in tree.css("body > *"):
        if node.tag in ("h1", "h2", "h3"):
            document.add_heading(_text(node), level=int(node.tag[1]) - 1)
        elif node.tag == "p":
            document.add_paragraph(_text(node))
        elif node.tag == "table":
            _add_table(document, node)
        else:
            raise SystemExit(f"{source.name} has <{node.tag}>, which write_docx does not know; use h1-h3, p or table")
    title = tree.css_first("title")
    properties = document.core_properties
    properties.title = _text(title) if title else ""
    properties.author = "Ostrel Ferry and River Research Cooperative"
    properties.created = properties.modified = STAMP
    document.save(str(target))
    _fix_zip_times(target)


def _add_table(document: docx.document.Document, node: LexborNode) -> None:
    rows = [[_text(cell) for cell in row.css("th, td")] for row in node.css("tr")]
    table = document.add_table(rows=len(rows), cols=len(rows[0]))
    table.style = "Table Grid"
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    for cell in table.rows[0].cells:
        cell.paragraphs[0].runs[0].bold = True
    document.add_paragraph()


def _fix_zip_times(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name, STAMP.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)


def _text(node: LexborNode) -> str:
    return " ".join(node.text().split(" ")).strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
