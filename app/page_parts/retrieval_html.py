"""A Retrieval in, the HTML of "Why these passages?" out. Everything is escaped. Knows no Streamlit."""

from collections.abc import Iterable
from html import escape
from pathlib import PurePath

from app.page_parts.excerpt import shorten
from app.page_parts.texts import Texts
from retrieval.retrieval import Dropped, Hit, Retrieval

_MOST_DROPPED = 30


def retrieval_html(retrieval: Retrieval, texts: Texts) -> str:
    """Draw a search: what was looked for, every hit with its rank and score at each stage, what was dropped and why."""
    parts = [
        '<div class="fn-why"><dl>',
        _entry(texts.why_asked, retrieval.question),
        *(
            _entry(texts.why_searched, query)
            for query in (*retrieval.queries, *retrieval.parts)
            if query != retrieval.question
        ),
        "</dl>",
        _hits_table(retrieval, texts),
    ]
    if retrieval.dropped:
        parts.append(_dropped_table(retrieval.dropped, texts))
    figures = ((name, f"{value:.3f}") for name, value in retrieval.evidence.items())
    seconds = ((name, f"{value:.3f}") for name, value in retrieval.timings.items())
    parts += [
        "<dl>",
        _entry(texts.why_stages, " → ".join(retrieval.stages) or texts.none),
        _entry(texts.why_evidence, _pairs(figures) or texts.none),
        _entry(texts.why_timings, _pairs(seconds) or texts.none),
        _entry(texts.why_generation, retrieval.generation or texts.none),
        "</dl></div>",
    ]
    return "".join(parts)


def _hits_table(retrieval: Retrieval, texts: Texts) -> str:
    if not retrieval.hits:
        return f"<p>{escape(texts.none)}</p>"
    stages = [stage for stage in retrieval.stages if any(stage in hit.stages for hit in retrieval.hits)]
    head = _row((texts.why_rank, texts.why_passage, texts.why_score, *stages, texts.why_terms), cell="th")
    rows = "".join(_hit_row(hit, stages, texts) for hit in retrieval.hits)
    return f'<div class="fn-scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _hit_row(hit: Hit, stages: list[str], texts: Texts) -> str:
    passage = (
        f"<b>{escape(texts.place(hit.title, hit.chunk.page, hit.page_label, hit.seconds))}</b><br>"
        f'<span class="fn-small">{escape(shorten(hit.chunk.text, 90))}</span>'
    )
    if hit.newer_edition:
        older = texts.why_older.format(source=PurePath(hit.newer_edition).name)
        passage += f'<br><span class="fn-small">{escape(older)}</span>'
    cells = [f"<td>{hit.rank}</td>", f'<td class="fn-passage">{passage}</td>', f"<td>{hit.score:.3f}</td>"]
    for name in stages:
        stage = hit.stages.get(name)
        if stage is None:
            cells.append("<td>–</td>")
        else:
            label = escape(texts.why_cell.format(score=f"{stage.score:.3f}", rank=stage.rank))
            cells.append(f'<td title="{label}">{stage.score:.3f}<br><span class="fn-small">#{stage.rank}</span></td>')
    cells.append(f'<td class="fn-terms">{escape(", ".join(hit.matched_terms) or texts.none)}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def _dropped_table(dropped: tuple[Dropped, ...], texts: Texts) -> str:
    head = _row((texts.why_passage, texts.why_stage, texts.why_reason), cell="th")
    rows = "".join(_row((PurePath(drop.source).name, drop.stage, drop.reason)) for drop in dropped[:_MOST_DROPPED])
    more = len(dropped) - _MOST_DROPPED
    rest = f'<p class="fn-small">{escape(texts.why_more.format(n=more))}</p>' if more > 0 else ""
    heading = escape(texts.why_dropped.format(n=len(dropped)))
    return (
        f'<details class="fn-more"><summary>{heading}</summary>'
        f'<div class="fn-scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>{rest}</details>'
    )


def _row(cells: Iterable[str], *, cell: str = "td") -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(text)}</{cell}>' for text in cells)}</tr>"


def _entry(term: str, value: str) -> str:
    return f"<div><dt>{escape(term)}</dt><dd>{escape(value)}</dd></div>"


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs)
