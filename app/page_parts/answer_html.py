"""An Answer in, the HTML that shows it out: claims with their status, markers to click, sources. Knows no Streamlit.

Every word of a document, a model or a user is escaped here: the result holds no element and no address but ours.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import PurePath

from app.page_parts.excerpt import shorten
from app.page_parts.marker_notes import marker_notes
from app.page_parts.texts import Texts
from generation.answer import Answer, Citation, Claim, Status
from generation.instructions import Notice
from retrieval.retrieval import Hit

STATUS_SIGNS: dict[Status, str] = {"supported": "✓", "partial": "~", "unsupported": "✗"}
STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")

_MARKER = re.compile(r" ?\[(\d{1,3})\]")
_LINE_KINDS = (
    ("heading", re.compile(r"#{1,6}[ \t]+")),
    ("bullet", re.compile(r"[ \t]*[-*•][ \t]+")),
    ("number", re.compile(r"[ \t]*\d{1,3}[.)][ \t]+")),
    ("row", re.compile(r"[ \t]*\|(?=.*\|)")),
)
_TAGS = {"heading": "h5", "bullet": "li", "number": "li", "row": "tr", "paragraph": "p"}
_AROUND_NUMBER = " \t.)"
_LISTS = {"bullet": "ul", "number": "ol", "row": "table"}
_RULE = re.compile(r"\|(?:[ \t]*:?-+:?[ \t]*\|)+")  # below the head of a Markdown table
_FENCE = re.compile(r"[ \t]*```")
_CODE = re.compile(r"`([^`\n]+)`")


def answer_html(answer: Answer, texts: Texts) -> str:
    """Draw a finished answer."""
    if answer.abstained:
        return _abstention_html(answer, texts)
    parts = [
        '<div class="fn-answer">',
        *_blocks(answer.claimed_text, answer.claims, texts),
        "</div>",
        _conflicts_html(answer, texts),
        _legend(answer.claims, texts),
    ]
    parts += [notices_html(answer.notices, texts), _sources(answer, texts), _marker_notes(answer, texts)]
    return "".join(parts)


def notices_html(notices: Sequence[Notice], texts: Texts) -> str:
    """Draw which sources speak to the model, or hold characters that no reader sees."""
    return "".join(f'<p class="fn-note" role="note">{escape(line)}</p>' for line in notice_words(notices, texts))


def notice_words(notices: Sequence[Notice], texts: Texts) -> list[str]:
    """Say which sources speak to the model, or hold characters that no reader sees."""
    forms = {"instruction": texts.notice_instruction, "unseen": texts.notice_unseen}
    return [
        forms[notice.kind].format(source=PurePath(notice.source).name, n=notice.n, quote=notice.quote)
        for notice in notices
    ]


def flag_of(claim: Claim, texts: Texts) -> str:
    """Say what is wrong with a claim that is not supported."""
    if claim.picture:
        return texts.flag_picture.format(picture=claim.picture)
    return texts.flag_unsupported if claim.status == "unsupported" else texts.flag_partial


def plain_html(text: str, *, css_class: str = "fn-answer") -> str:
    """Draw text that has not been checked: markers are shown, none can be clicked."""
    return f'<div class="{css_class}">{"".join(_blocks(text, (), None))}</div>'


def citation_label(citation: Citation, texts: Texts) -> str:
    """Give the label that a screen reader says: "Source 2: title, page 14, supported"."""
    return texts.source.format(
        marker=citation.marker,
        place=_place(citation, texts),
        status=texts.statuses[citation.status],
    )


def _place(citation: Citation, texts: Texts) -> str:
    return texts.place(citation.title, citation.page, citation.page_label, citation.seconds)


def cited(answer: Answer) -> list[tuple[str, Citation]]:
    """List the citations by marker, each with what a click on it opens: that of the first claim that uses it best."""
    order: dict[Status, int] = {"supported": 0, "partial": 1, "unsupported": 2}
    best: dict[int, tuple[int, Citation]] = {}
    for index, claim in enumerate(answer.claims):
        for citation in claim.citations:
            known = best.get(citation.marker)
            if known is None or order[citation.status] < order[known[1].status]:
                best[citation.marker] = (index, citation)
    targets = {f"c:{index}:{citation.marker}": citation for index, citation in best.values()}
    disagreeing = ((f"d:{i}", conflict.other) for i, conflict in enumerate(answer.conflicts))
    targets |= {target: citation for target, citation in disagreeing if citation.marker not in best}
    return sorted(targets.items(), key=lambda entry: entry[1].marker)


def not_cited(answer: Answer) -> list[Hit]:
    """List the hits none of whose words are cited, best first."""
    return [
        hit
        for hit in answer.retrieval.hits
        if not any(c.document_id == hit.chunk.document_id and c.span.overlaps(hit.chunk.span) for c in answer.citations)
    ]


def _conflicts_html(answer: Answer, texts: Texts) -> str:
    """Draw our own sentence on what documents disagree about, apart from what the model wrote."""
    targets = {citation.marker: (target, citation) for target, citation in cited(answer)}
    drawn, position = [], 0
    for match in _MARKER.finditer(answer.conflict_text):
        drawn.append(escape(answer.conflict_text[position : match.start()]))
        known = targets.get(int(match[1]))
        drawn.append(_marker_button(*known, texts) if known else escape(match[0]))
        position = match.end()
    drawn.append(escape(answer.conflict_text[position:]))
    return f'<p class="fn-note fn-conflict" role="note">{"".join(drawn)}</p>' if answer.conflicts else ""


def _abstention_html(answer: Answer, texts: Texts) -> str:
    reason = texts.reason_in_words(answer.reason)
    parts = [
        f'<div class="fn-abstained" role="note"><strong>{escape(texts.abstained)}</strong>'
        f"<p>{escape(answer.text)}</p>"
        f'<p class="fn-small">{escape(reason)}</p></div>',
        notices_html(answer.notices, texts),
    ]
    if answer.retrieval.hits:
        parts.append(_hit_list(answer.retrieval.hits[:3], answer, texts.nearest_evidence, texts, is_open=True))
    return "".join(parts)


def _sources(answer: Answer, texts: Texts) -> str:
    rows = "".join(
        f'<li><button type="button" class="fn-card fn-{citation.status}" data-open="{target}"'
        f' aria-label="{escape(citation_label(citation, texts))}">'
        f'<span class="fn-number">{citation.marker}</span><span class="fn-card-text">'
        f'<span class="fn-card-title">{escape(_place(citation, texts))}</span>'
        f"{_holder(citation.kb, answer)}{_status(citation.status, texts)}"
        f'<span class="fn-card-quote">“{escape(shorten(citation.quote, 240))}”</span></span></button></li>'
        for target, citation in cited(answer)
    )
    parts = []
    if rows:
        parts.append(f'<h4 class="fn-heading">{escape(texts.cited_sources)}</h4><ul class="fn-cards">{rows}</ul>')
    if others := not_cited(answer):
        parts.append(_hit_list(others, answer, texts.retrieved_only, texts, is_open=False))
    return "".join(parts)


def _marker_notes(answer: Answer, texts: Texts) -> str:
    """Draw, folded, what became of the model's own markers where they were not right."""
    notes = "".join(f"<li>{escape(note)}</li>" for note in marker_notes(answer, texts))
    if not notes:
        return ""
    return f'<details class="fn-more"><summary>{escape(texts.marker_notes)}</summary><ul>{notes}</ul></details>'


def _holder(kb: str, answer: Answer) -> str:
    """Name the knowledge base that holds a source, where several were searched."""
    return f'<span class="fn-small">{escape(kb)}</span>' if len(answer.retrieval.kbs) > 1 else ""


def _hit_list(hits: Sequence[Hit], answer: Answer, heading: str, texts: Texts, *, is_open: bool) -> str:
    rows = []
    for hit in hits:
        place = texts.place(hit.title, hit.chunk.page, hit.page_label, hit.seconds)
        words = _RULE.sub(" ", hit.chunk.text)
        label = texts.retrieved_passage.format(rank=hit.rank, place=place)
        rows.append(
            f'<li><button type="button" class="fn-card fn-retrieved" data-open="h:{hit.rank}"'
            f' aria-label="{escape(label)}">'
            f'<span class="fn-card-text"><span class="fn-card-title">{escape(place)}</span>{_holder(hit.kb, answer)}'
            f'<span class="fn-card-quote">{escape(shorten(words, 200))}</span></span></button></li>'
        )
    opened = " open" if is_open else ""
    return (
        f'<details class="fn-more"{opened}><summary>{escape(heading)} ({len(rows)})</summary>'
        f'<ul class="fn-cards">{"".join(rows)}</ul></details>'
    )


def _legend(claims: Sequence[Claim], texts: Texts) -> str:
    counts = {status: sum(claim.status == status for claim in claims) for status in STATUS_SIGNS}
    items = "".join(
        f'<li class="fn-{status}{"" if counts[status] else " fn-zero"}"'
        f' title="{escape(texts.status_meanings[status])}">'
        f"{STATUS_SIGNS[status]} {escape(texts.statuses[status])} <b>{counts[status]}</b></li>"
        for status in STATUS_SIGNS
    )
    return f'<div class="fn-legend"><span>{escape(texts.legend)}</span><ul>{items}</ul></div>'


def _status(status: Status, texts: Texts) -> str:
    return f'<span class="fn-status fn-{status}">{STATUS_SIGNS[status]} {escape(texts.statuses[status])}</span>'


def _blocks(text: str, claims: Sequence[Claim], texts: Texts | None) -> Iterator[str]:
    """Draw the little Markdown that models write: paragraphs, lists, tables, headings, code; nothing that links."""
    position, open_list, fenced = 0, "", False
    lines = text.splitlines(keepends=True)
    for line, following in zip(lines, (*lines[1:], ""), strict=True):
        start, end = position, position + len(line.rstrip())
        position += len(line)
        is_fence = _FENCE.match(line) is not None
        if is_fence or fenced:
            yield _close(open_list)
            open_list = ""
            yield escape(line) if not is_fence else "</code></pre>" if fenced else "<pre><code>"
            fenced = fenced != is_fence
            continue
        kind, n_mark = _line_kind(line)
        if kind == "row":
            cell = "th" if _RULE.fullmatch(following.strip()) else "td"
            inside = "" if _RULE.fullmatch(line.strip()) else _row(text, start + n_mark, end, cell, claims, texts)
        else:
            inside = "".join(_inline(text, start + n_mark, end, claims, texts))
        if not inside:
            continue
        wanted = _LISTS.get(kind, "")
        if wanted != open_list:
            yield _close(open_list) + (f"<{wanted}>" if wanted else "")
            open_list = wanted
        number = f' value="{int(line[:n_mark].strip(_AROUND_NUMBER))}"' if kind == "number" else ""
        yield f"<{_TAGS[kind]}{number}>{inside}</{_TAGS[kind]}>"
    yield _close(open_list)
    yield "</code></pre>" if fenced else ""


def _row(text: str, start: int, end: int, cell: str, claims: Sequence[Claim], texts: Texts | None) -> str:
    """Draw a table's row: a cell for each text between bars, and one for markers and flags behind the last bar."""
    last = text.rindex("|", start, end)
    cells, position = [], start
    for part in text[start:last].split("|"):
        cells.append("".join(_inline(text, position, position + len(part), claims, texts)))
        position += len(part) + 1
    behind = "".join(_inline(text, last, end, claims, texts)).replace("|", "", 1)
    return "".join(f"<{cell}>{words}</{cell}>" for words in cells) + f"<td>{behind}</td>"


def _flag(claim: Claim, index: int, texts: Texts) -> str:
    """Draw what is wrong with a claim; a click opens the picture that it can have been read in."""
    words = f"{STATUS_SIGNS[claim.status]} {escape(flag_of(claim, texts))}"
    if not claim.picture_number:
        return f'<span class="fn-flag fn-{claim.status}">{words}</span>'
    return f'<button type="button" class="fn-flag fn-{claim.status}" data-open="p:{index}">{words}</button>'


def _line_kind(line: str) -> tuple[str, int]:
    """Tell what a line is, and how many characters say so."""
    for kind, pattern in _LINE_KINDS:
        if match := pattern.match(line):
            return kind, min(match.end(), len(line.rstrip()))
    return "paragraph", 0


def _close(tag: str) -> str:
    return f"</{tag}>" if tag else ""


def _inline(text: str, start: int, end: int, claims: Sequence[Claim], texts: Texts | None) -> Iterator[str]:
    """Draw `text[start:end]`, each claim in it by its status."""
    position = start
    for index, claim in enumerate(claims):
        left, right = max(position, claim.span.start), min(end, claim.span.end)
        if left >= right:
            continue
        yield _marked(text[position:left], None, 0, None)
        yield f'<span class="fn-claim fn-{claim.status}">{_marked(text[left:right], claim, index, texts)}</span>'
        if texts is not None and right == claim.span.end and claim.status != "supported":
            yield f" {_flag(claim, index, texts)} "
        position = right
    yield _marked(text[position:end], None, 0, None)


def _marked(text: str, claim: Claim | None, index: int, texts: Texts | None) -> str:
    """Escape text, with its markers as buttons where they are citations of `claim`."""
    citations = {citation.marker: citation for citation in claim.citations} if claim else {}
    parts, position = [], 0
    for match in _MARKER.finditer(text):
        parts.append(_emphasised(text[position : match.start()]))
        citation = citations.get(int(match[1]))
        if citation is None or texts is None:
            shown = f'<sup class="fn-marker-plain">{match[1]}</sup>' if claim is None else escape(match[0])
            parts.append(shown)
        else:
            parts.append(_marker_button(f"c:{index}:{citation.marker}", citation, texts))
        position = match.end()
    parts.append(_emphasised(text[position:]))
    return "".join(parts)


def _marker_button(target: str, citation: Citation, texts: Texts) -> str:
    label = citation_label(citation, texts)
    return (
        f'<button type="button" class="fn-marker fn-{citation.status}" data-open="{target}"'
        f' aria-label="{escape(label)}" data-tip-title="{escape(label)}"'
        f' data-tip-quote="{escape(shorten(citation.quote, 320))}">{citation.marker}</button>'
    )


def _emphasised(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", STRONG.sub(r"<strong>\1</strong>", escape(text)))
