"""Makes PDFs whose reading order is known, and scores a text against that order.

The pages are HTML with CSS columns, printed by headless Chromium: the order of the HTML is the true one. Sentences come
from the sample documents, each at most once a PDF. Knows nothing about how a PDF is read.
"""

import random
import re
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import sync_playwright

from ingest.language import has_cjk
from ingest.load import load_document
from ingest.sentences import split_sentences

_SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
_CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_HEADINGS = {
    "en": "Place and method|When the water rises|What we counted|Which way they take|Results of the survey|Costs|"
    "How sure we are|What comes next|A short history|Boats and crews|Rules for the quay|Discussion|Thanks",
    "zh": "地点与方法|水位上涨时|统计结果|航线选择|费用说明|可信程度|后续安排|历史沿革|船只与船员|码头规定|讨论|致谢",
}
_PLACES = {
    "en": "Upper Weir|Mill Ford|Saltern Creek|Brackholm Bridge|Outer Boom|Lake Orrin|Lantern Wharf|Heron House|"
    "Tidegate Row|Rope Room|Grey Heron|Cold Harbour|Long Reach|North Sluice|Eel Pass|Sand Holm",
    "zh": "上游堰|磨坊渡|盐溪|长桥|外栏|奥林湖|灯笼码头|鹭居|潮门街|绳索室|灰鹭号|冷港|长滩|北闸|鳗鱼道|沙洲",
}
_FONTS = {
    "en": ("'Liberation Serif', 'DejaVu Serif', serif", "'Liberation Sans', 'DejaVu Sans', sans-serif"),
    "zh": ("'Noto Serif CJK SC', serif", "'Noto Sans CJK SC', sans-serif"),
}


@dataclass(frozen=True, slots=True)
class Oracle:
    """One PDF and what it says, unit by unit (sentence, heading, table row, caption) in reading order."""

    name: str
    pdf: bytes
    kind: str
    units: tuple[str, ...]


def make_oracles(n: int, seed: int) -> Iterator[Oracle]:
    """Print `n` PDFs that take turns in language and number of columns; equal seeds give equal pages."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("making the pages needs Chromium; on Debian: apt-get install chromium fonts-noto-cjk")
    sentences = _sentences()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM_FLAGS))
        page = browser.new_page()
        for number in range(n):
            draw = random.Random(f"{seed} {number}")
            language = ("en", "zh")[number % 2]
            columns = (1, 2, 3)[number // 2 % 3]
            sheet = _Sheet(draw, language, columns, sentences[language])
            page.set_content(sheet.html())
            pdf = page.pdf(prefer_css_page_size=True, print_background=True)
            yield Oracle(f"oracle-{number:03}", pdf, f"{language}, {columns}", tuple(sheet.units))
        browser.close()


def pairs_in_order(text: str, units: Sequence[str]) -> tuple[int, int]:
    """Give how many pairs of neighbouring units follow each other directly in the text, and how many pairs there are.

    A unit counts as found where all its letters and digits stand in a row; white space and punctuation don't count.
    """
    letters = squeezed(text)
    places: list[tuple[int, int]] = []
    for index, unit in enumerate(units):
        at = letters.find(squeezed(unit))
        if at >= 0:
            places.append((at, index))
    followed_by = {one: other for (_, one), (_, other) in pairwise(sorted(places))}
    right = sum(1 for index in range(len(units) - 1) if followed_by.get(index) == index + 1)
    return right, len(units) - 1


def squeezed(text: str) -> str:
    """Give the letters and digits of a text, ligatures and other presentation forms resolved."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text))


def _sentences() -> dict[str, list[str]]:
    """Give the samples' sentences by language, none of which is part of another."""
    found: dict[str, dict[str, None]] = {"en": {}, "zh": {}}
    for path in sorted(_SAMPLES.iterdir()):
        if path.suffix in (".md", ".txt", ".html", ".docx"):
            document = load_document(path)
            for block in document.blocks:
                text = block.span.of(document.text)
                if block.kind == "paragraph" and "|" not in text:
                    for span in split_sentences(text):
                        sentence = " ".join(re.sub(r"[*`_#\[\]<>]", "", span.of(text)).split())
                        language = "zh" if has_cjk(sentence) else "en"
                        if len(sentence) >= (14 if language == "zh" else 40) and sentence[-1] in ".。！？!?":
                            found[language].setdefault(sentence)
    return {language: list(sentences) for language, sentences in found.items()}


class _Sheet:
    """One document in the making: its HTML, and its units in the order of the HTML."""

    def __init__(self, draw: random.Random, language: str, columns: int, sentences: Sequence[str]) -> None:
        self.units: list[str] = []
        self._draw = draw
        self._language = language
        self._columns = columns
        self._sentences = draw.sample(sentences, len(sentences))
        self._headings = draw.sample(_HEADINGS[language].split("|"), 8)
        self._n_rows = 0

    def html(self) -> str:
        """Write the document: a title over all columns, then parts in columns, with what spans them in between."""
        draw = self._draw
        gap, size = draw.choice((10, 14, 18, 24)), draw.choice((8.5, 9, 10, 11) if self._columns > 1 else (10, 11))
        style = (
            f"@page {{size: {draw.choice(('A4', 'Letter'))}; margin: {draw.choice((14, 18, 22))}mm}}"
            f"body {{font: {size}pt/{draw.choice((1.2, 1.3, 1.45))} {draw.choice(_FONTS[self._language])}; margin: 0;"
            f"text-align: {draw.choice(('justify', 'left'))}; hyphens: {draw.choice(('auto', 'manual'))}}}"
            f".columns {{columns: {self._columns}; column-gap: {gap}pt;"
            f"column-fill: {draw.choice(('auto', 'balance'))};"
            f"column-rule: {draw.choice(('none', '0.5pt solid gray'))}}}"
            f"p {{margin: 0 0 {draw.choice((0, 3, 8))}pt; text-indent: {draw.choice((0, 12))}pt}}"
            "h1 {font-size: 1.9em; margin: 0 0 6pt} h2 {font-size: 1.25em; margin: 8pt 0 3pt; break-after: avoid}"
            "table {border-collapse: collapse; margin: 6pt 0; text-align: left; break-inside: avoid}"
            "td, th {padding: 1pt 4pt; vertical-align: top} figure {margin: 6pt 0; break-inside: avoid}"
            "figcaption, .note {font-size: .82em} .span {column-span: all}"
        )
        parts = [f"<h1>{self._unit(self._headings.pop())}</h1>"]
        if draw.random() < 0.7:
            parts.append(f"<p>{self._prose(draw.randint(2, 4))}</p>")
        parts += [self._part() for _ in range(draw.randint(2, 3))]
        head = f'<meta charset="utf-8"><style>{style}</style>'
        return f'<!doctype html><html lang="{self._language}"><head>{head}</head><body>{"".join(parts)}</body></html>'

    def _part(self) -> str:
        draw = self._draw
        pieces: list[str] = []
        if self._headings and draw.random() < 0.5:
            pieces.append(f'<h2 class="span">{self._unit(self._headings.pop())}</h2>')
        for _ in range(draw.randint(3, 7)):
            if self._headings and draw.random() < 0.25:
                pieces.append(f"<h2>{self._unit(self._headings.pop())}</h2>")
            pieces.append(f"<p>{self._prose(draw.randint(2, 6))}</p>")
            chance = draw.random()
            if chance < 0.14:
                pieces.append(self._table(draw.randint(2, 3), wide=False))
            elif chance < 0.22:
                pieces.append(self._table(draw.randint(4, 6), wide=True))
            elif chance < 0.28:
                pieces.append(self._text_table())
            elif chance < 0.36:
                pieces.append(self._figure())
            elif chance < 0.42:
                pieces.append(f"<ul>{''.join(f'<li>{self._prose(1)}</li>' for _ in range(draw.randint(2, 4)))}</ul>")
        if draw.random() < 0.3:
            pieces.append(f'<hr><p class="note">{self._prose(1)}</p>')
        return f'<div class="columns">{"".join(pieces)}</div>'

    def _prose(self, n: int) -> str:
        taken = [self._sentences.pop() for _ in range(min(n, len(self._sentences) - 1))]
        return ("" if self._language == "zh" else " ").join(map(self._unit, taken))

    def _unit(self, text: str) -> str:
        self.units.append(text)
        return escape(text)

    def _table(self, n_columns: int, *, wide: bool) -> str:
        """A table of figures, in its column or over all of them; every row is a unit."""
        rows = []
        for _ in range(self._draw.randint(3, 7)):
            self._n_rows += 1
            place = self._draw.choice(_PLACES[self._language].split("|"))
            figures = [f"{self._draw.randint(100, 9999):,}" for _ in range(n_columns - 1)]
            rows.append(self._row([f"{place} {self._n_rows}", *figures]))
        return f"<table{' class=span style=width:100%' if wide else ''}>{''.join(rows)}</table>"

    def _text_table(self) -> str:
        """A table over all columns whose cells are sentences several lines high; every cell is a unit."""
        rows = [self._row([self._sentences.pop(), self._sentences.pop()], whole=False) for _ in range(3)]
        return f'<table class="span" border="1">{"".join(rows)}</table>'

    def _row(self, cells: Sequence[str], *, whole: bool = True) -> str:
        self.units.extend((" ".join(cells),) if whole else cells)
        return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"

    def _figure(self) -> str:
        kind = " class=span" if self._draw.random() < 0.4 else ""
        drawing = '<svg width="100%" height="60"><rect width="90%" height="58" fill="silver"/></svg>'
        return f"<figure{kind}>{drawing}<figcaption>{self._prose(1)}</figcaption></figure>"
