"""How PDFs are read: whether sentences follow each other as written, beside other readers; whether evidence is found.

    python -m benchmarks.pdf_reading [--set FOLDER] [--quick] [--json]

Makes PDFs of one to three columns, English and Chinese, whose order is known (`pdf_oracle.py`), once as the browser
paints them and, in English, once painted row by row from the top as some programs do. Every reader reads each file
before the next is made, so the times are comparable. Figures are the share of neighbouring units (sentences, headings,
table rows) that follow each other directly. `--set` names an evaluation set with `documents/` and gold pages: the
evidence is looked for in the text of its page, line by line.
"""

import argparse
import io
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium

from benchmarks.pdf_oracle import Oracle, make_oracles, pairs_in_order, squeezed
from benchmarks.pdf_peers import peers
from ingest.load import load_document
from ingest.load_pdf import load_pdf

_FOUND = 0.95  # of the evidence's characters


def by_footnote(pdf: bytes) -> str:
    """Read a PDF as Footnote does."""
    return load_pdf(pdf, "oracle.pdf").text


def painted_by_rows(pdf: bytes) -> bytes:
    """Give the same pages with their words painted from top to bottom, across columns."""
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        words = [thing for thing in page.get_objects() if thing.type == pdfium.FPDF_PAGEOBJ_TEXT]
        places = [(-round(matrix.f), matrix.e) for matrix in (word.get_matrix() for word in words)]
        for word in words:
            page.remove_obj(word)
        for index in sorted(range(len(words)), key=places.__getitem__):
            page.insert_obj(words[index])
        page.gen_content()
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def order_figures(n: int, seed: int) -> dict[str, float]:
    """Print a table of all readers, by language and number of columns, and give its figures."""
    readers: dict[str, Callable[[bytes], str]] = {"footnote": by_footnote, **peers()}
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    seconds: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for kind, pdf, oracle in _variants(n, seed):
        counts[kind] += len(oracle.units) - 1
        for name, read in readers.items():
            started = time.perf_counter()
            text = read(pdf)
            seconds[name] += time.perf_counter() - started
            right, pairs = pairs_in_order(text, oracle.units)
            sums[name, kind][0] += right
            sums[name, kind][1] += pairs
    print(f"\n{'pairs in order, n =':26}" + "".join(f"{counts[kind]:>15}" for kind in sorted(counts)) + f"{'time':>9}")
    print(f"{'':26}" + "".join(f"{kind:>15}" for kind in sorted(counts)))
    figures: dict[str, float] = {}
    for name in readers:
        shares = {kind: sums[name, kind][0] / sums[name, kind][1] for kind in sorted(counts)}
        print(f"{name:26}" + "".join(f"{share:15.1%}" for share in shares.values()) + f"{seconds[name]:8.1f}s")
        figures |= {f"{name} {kind}": round(share, 4) for kind, share in shares.items()}
    return figures


def _variants(n: int, seed: int) -> Iterator[tuple[str, bytes, Oracle]]:
    for oracle in make_oracles(n, seed):
        yield oracle.kind, oracle.pdf, oracle
        if oracle.kind.startswith("en"):
            yield f"{oracle.kind} rows", painted_by_rows(oracle.pdf), oracle


def evidence_figures(folder: Path, n_questions: int | None) -> dict[str, float]:
    """Print how much of the gold evidence stands in the text of its page, and give the figures."""
    questions = [json.loads(line) for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    pages: dict[str, list[str]] = {}
    shares: list[float] = []
    for question in questions[:n_questions]:
        for place, evidence in zip(question.get("gold_ids", ()), question.get("evidence", ()), strict=False):
            name, _, index = place.partition("#p")
            file = folder / "documents" / f"{name}.pdf"
            if not index or not file.is_file():
                continue
            if name not in pages:
                document = load_document(file)
                pages[name] = [squeezed(page.span.of(document.text)) for page in document.pages]
            lines = [line for line in map(squeezed, evidence.split("\n")) if line]
            found = sum(len(line) for line in lines if line in pages[name][int(index)])
            shares.append(found / max(sum(map(len, lines)), 1))
            if shares[-1] < _FOUND:
                print(f"  {place}: {shares[-1]:.1%} of the evidence is in the text of its page")
    n_found = sum(1 for share in shares if share >= _FOUND)
    mean = sum(shares) / max(len(shares), 1)
    print(f"\n{folder.name}: evidence found on {n_found} of {len(shares)} gold pages; {mean:.1%} of its characters")
    return {"gold pages": len(shares), "gold pages found": n_found, "evidence characters": round(mean, 4)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, help="an evaluation set with documents/ and gold pages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="12 PDFs instead of 60, 5 questions")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = order_figures(12 if arguments.quick else 60, arguments.seed)
    if arguments.set is not None:
        figures |= evidence_figures(arguments.set, 5 if arguments.quick else None)
    if arguments.json:
        print(json.dumps({"name": "pdf_reading", "figures": figures}))


if __name__ == "__main__":
    main()
