"""An answer in, one HTML or PDF file that shows it with its sources out: offline, nothing in it loads or runs.

Pages of PDFs and pictures come with the quotes marked; of other documents the text around them.
"""

import base64
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from app.engine import Engine
from app.export_content import Figure, Piece, Source, exported
from app.page_parts.answer_html import STATUS_SIGNS, STRONG
from generation.answer import Answer
from ingest.errors import SettingsError

_MARKER = re.compile(r"\[(\d{1,3})\]")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "overflow-wrap:anywhere}.answer,.excerpt{white-space:pre-wrap}"
    "section{border-top:1px solid #ccc;margin-top:1.5rem;break-inside:avoid}"
    "blockquote{border-left:3px solid #d68a00;background:#fff8dc;margin:.5rem 0;padding:.3rem .8rem;"
    "white-space:pre-wrap}img{max-width:100%;border:1px solid #ccc}mark{background:#ffe95c}small{color:#555}"
    ".partial{text-decoration:underline dashed #8f5a00}.unsupported{text-decoration:underline wavy #b3261e}"
    "small.partial,small.unsupported{text-decoration:none;padding:0 .3rem}small.partial{color:#8f5a00;"
    "background:#fbeccc}small.unsupported{color:#b3261e;background:#fbe3e1}"
    ".note{border-left:3px solid #d68a00;background:#fbeccc;padding:.3rem .8rem}figure{margin:1rem 0}"
)


def write_export(file: Path, answer: Answer, engine: Engine, kb: str) -> None:
    """Write the file, of the kind that its name ends in. Raises SettingsError when that can't be."""
    data = answer_pdf(answer, engine, kb) if file.suffix.lower() == ".pdf" else answer_page(answer, engine, kb).encode()
    try:
        file.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"{file} can't be written ({error.strerror or error}); name another file") from error


def answer_pdf(answer: Answer, engine: Engine, kb: str) -> bytes:
    """Give the PDF."""
    from app.export_pdf import draw_pdf  # reportlab and its font wait until there is something to draw

    return draw_pdf(exported(answer, engine, kb))


def answer_page(answer: Answer, engine: Engine, kb: str) -> str:
    """Give the HTML. Every word of a document, a model or a user is escaped."""
    shown = exported(answer, engine, kb)
    body = [
        f"<h1>{escape(shown.question)}</h1>",
        f'<p class="answer">{"".join(map(_piece, shown.pieces))}</p>',
        *(f"<p><small>{escape(remark)}</small></p>" for remark in (*shown.remarks, shown.written_by)),
        *((f'<p class="note">{_piece(shown.conflict)}</p>',) if shown.conflict else ()),
        *(f'<p class="note">{escape(caution)}</p>' for caution in shown.cautions),
        *map(_figure, shown.pictures),
        *map(_source, shown.sources),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="{shown.texts.code}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(shown.question)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _piece(piece: Piece) -> str:
    def link(match: re.Match[str]) -> str:
        return f'<a href="#s{match[1]}">{match[0]}</a>' if int(match[1]) in piece.markers else match[0]

    text = STRONG.sub(r"<strong>\1</strong>", _MARKER.sub(link, escape(piece.text)))
    if piece.status is None or not piece.flag:
        return text
    flag = f"{STATUS_SIGNS[piece.status]} {escape(piece.flag)}"
    return f'<span class="{piece.status}">{text.rstrip()}</span> <small class="{piece.status}">{flag}</small> '


def _source(source: Source) -> str:
    return "".join(
        (
            f'<section id="s{source.marker}"><h2>[{source.marker}] {escape(source.place)}</h2>',
            f"<small>{escape(source.file)} · {STATUS_SIGNS[source.status]} {escape(source.status_name)}</small>",
            f"<blockquote>{escape(source.quote)}</blockquote>",
            *(f"<p><small>{escape(note)}</small></p>" for note in source.notes),
            _figure(source.page) if source.page else "",
            *_excerpt(source),
            "</section>",
        )
    )


def _figure(figure: Figure) -> str:
    data = base64.b64encode(figure.png).decode("ascii")
    label = escape(figure.label)
    return f'<figure><img alt="{label}" src="data:image/png;base64,{data}"><figcaption>{label}</figcaption></figure>'


def _excerpt(source: Source) -> Iterator[str]:
    if (excerpt := source.excerpt) is not None:
        yield (
            f'<p class="excerpt">{"… " if excerpt.cut_before else ""}{escape(excerpt.before)}'
            f"<mark>{escape(excerpt.quote)}</mark>{escape(excerpt.after)}{' …' if excerpt.cut_after else ''}</p>"
        )
