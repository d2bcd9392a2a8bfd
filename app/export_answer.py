"""An answer in, one HTML file that shows it with its sources out: offline, without script, nothing in it loads.

Pages of PDFs and pictures come with the quotes marked; of other documents the text around them.
"""

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from app.engine import Engine
from app.page_parts.answer_html import notices_html
from app.page_parts.excerpt import cut_excerpt, locate
from app.page_parts.texts import Texts
from app.page_parts.texts_en import ENGLISH
from app.page_parts.texts_zh import CHINESE
from generation.answer import Answer, Citation
from generation.prompts import prompt_language
from ingest.document import Document
from ingest.errors import KnowledgeBaseError, SettingsError, SourceError
from ingest.page_image import has_page_images, page_image

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "overflow-wrap:anywhere}.answer,.excerpt{white-space:pre-wrap}"
    ".conflict{border-left:3px solid #d68a00;padding-left:.8rem}"
    "section{border-top:1px solid #ccc;margin-top:1.5rem;break-inside:avoid}"
    "blockquote{border-left:3px solid #d68a00;background:#fff8dc;margin:.5rem 0;padding:.3rem .8rem;"
    "white-space:pre-wrap}img{max-width:100%;border:1px solid #ccc}mark{background:#ffe95c}small{color:#555}"
)


def write_html(file: Path, answer: Answer, engine: Engine, kb: str) -> None:
    """Write the file. Raises SettingsError when that can't be."""
    try:
        file.write_text(answer_page(answer, engine, kb), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file} can't be written ({error.strerror or error}); name another file") from error


def answer_page(answer: Answer, engine: Engine, kb: str) -> str:
    """Give the HTML. Every word of a document, a model or a user is escaped."""
    language = prompt_language(answer.question)
    texts = CHINESE if language == "zh" else ENGLISH
    body = [f"<h1>{escape(answer.question)}</h1>", f'<p class="answer">{escape(answer.claimed_text)}</p>']
    if answer.conflicts:
        body.append(f'<p class="conflict">{escape(answer.conflict_text)}</p>')
    if answer.abstained:
        body.append(f"<p><small>{escape(texts.reason_in_words(answer.reason))}</small></p>")
    body += [
        f"<p><small>{escape(texts.statuses[claim.status])}: {escape(claim.text)}</small></p>"
        for claim in answer.claims
        if claim.status != "supported"
    ]
    body.append(notices_html(answer.notices, texts))
    cited = {citation.marker: citation for citation in answer.citations}
    body += [_source(citation, engine, kb, texts) for _, citation in sorted(cited.items())]
    body.append(f"<p><small>{escape(answer.model)} · {escape(answer.retrieval.generation)}</small></p>")
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(answer.question)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _source(citation: Citation, engine: Engine, kb: str, texts: Texts) -> str:
    place = texts.place(citation.title, citation.page, citation.page_label, citation.seconds)
    parts = [
        f"<section><h2>[{citation.marker}] {escape(place)}</h2>",
        f"<small>{escape(citation.source)} · {escape(texts.statuses[citation.status])}</small>",
        f"<blockquote>{escape(citation.quote)}</blockquote>",
    ]
    try:
        document = engine.document(citation.kb or kb, citation.document_id)
    except KnowledgeBaseError:
        parts.append(f"<p>{escape(texts.document_gone)}</p>")
    else:
        parts += _shown(citation, document, texts)
    return "".join((*parts, "</section>"))


def _shown(citation: Citation, document: Document, texts: Texts) -> Iterator[str]:
    if locate(document.text, citation.span, citation.quote) != citation.span:
        yield f"<p>{escape(texts.document_changed)}</p>"
        return
    if citation.page is not None and has_page_images(document):
        try:
            picture = page_image(document, citation.page, [citation.span])
        except SourceError as error:
            yield f"<p><small>{escape(str(error))}</small></p>"
        else:
            if not picture.boxes:
                yield f"<p><small>{escape(texts.not_located)}</small></p>"
            label = texts.picture_of_page.format(page=citation.page, title=document.title)
            data = base64.b64encode(picture.png).decode("ascii")
            yield f'<img alt="{escape(label)}" src="data:image/png;base64,{data}">'
            return
    excerpt = cut_excerpt(document.text, citation.span)
    yield (
        f'<p class="excerpt">{"… " if excerpt.cut_before else ""}{escape(excerpt.before)}'
        f"<mark>{escape(excerpt.quote)}</mark>{escape(excerpt.after)}{' …' if excerpt.cut_after else ''}</p>"
    )
