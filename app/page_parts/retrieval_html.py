"""A Retrieval in, the HTML of "Why these passages?" out. Everything is escaped. Knows no Streamlit."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import PurePath

from app.page_parts.excerpt import shorten
from app.page_parts.texts import Texts
from app.why_not_view import leg_line
from retrieval.filters import describe
from retrieval.retrieval import Dropped, Hit, Retrieval
from retrieval.why_not import WhyNot

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
        *([_entry(texts.where_looked, looked)] if (looked := _where(retrieval, texts)) else []),
        "</dl>",
        _hits_table(retrieval, texts),
    ]
    if retrieval.dropped:
        parts.append(_dropped_table(retrieval.dropped, texts))
    figures = ((name, f"{value:.3f}") for name, value in retrieval.evidence.items())
    seconds = ((name, f"{value:.3f}") for name, value in retrieval.timings.items())
    parts += [
        "<dl>",
        _entry(texts.why_stages, " → ".join(map(texts.search_reason, retrieval.stages)) or texts.none),
        _entry(texts.why_evidence, _pairs(figures) or texts.none),
        _entry(texts.why_timings, _pairs(seconds) or texts.none),
        _entry(texts.why_generation, retrieval.generation or texts.none),
        "</dl></div>",
    ]
    return "".join(parts)


def _hits_table(retrieval: Retrieval, texts: Texts) -> str:
    if not retrieval.hits:
        return f"<p>{escape(texts.none)}</p>"
    names = [stage.partition(" (silent: ")[0] for stage in retrieval.stages]  # one may be silent on some passages only
    stages = [name for name in names if any(name in hit.stages for hit in retrieval.hits)]
    head = _row((texts.why_rank, texts.why_passage, texts.why_score, *stages, texts.why_terms), cell="th")
    several = len(retrieval.kbs) > 1
    rows = "".join(_hit_row(hit, stages, several, texts) for hit in retrieval.hits)
    return f'<div class="fn-scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _hit_row(hit: Hit, stages: list[str], several: bool, texts: Texts) -> str:
    holder = f' <span class="fn-small">{escape(hit.kb)}</span>' if several else ""
    passage = (
        f"<b>{escape(texts.place(hit.title, hit.chunk.page, hit.page_label, hit.seconds))}</b>{holder}<br>"
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
    rows = "".join(
        _row((PurePath(drop.source).name, drop.stage, texts.search_reason(drop.reason)))
        for drop in dropped[:_MOST_DROPPED]
    )
    more = len(dropped) - _MOST_DROPPED
    rest = f'<p class="fn-small">{escape(texts.why_more.format(n=more))}</p>' if more > 0 else ""
    heading = escape(texts.why_dropped.format(n=len(dropped)))
    return (
        f'<details class="fn-more"><summary>{heading}</summary>'
        f'<div class="fn-scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>{rest}</details>'
    )


def why_not_html(traces: Sequence[WhyNot], texts: Texts) -> str:
    """Draw where documents fell out of a search."""
    parts = []
    for trace in traces:
        name = PurePath(trace.source).name or trace.document
        verdict = texts.why_not_verdicts[trace.verdict]
        lines = [texts.search_reason(line) for line in (trace.reason, *map(leg_line, trace.legs))]
        if trace.best is not None:
            lines.append(f"{texts.why_terms}: {', '.join(trace.best.matched_terms) or texts.none}")
            lines.append(f"{texts.why_not_best}: {shorten(' '.join(trace.best.chunk.text.split()), 160)}")
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        parts.append(f"<p><b>{escape(name)}</b> · {escape(trace.kb)} · {escape(verdict)}</p><ul>{items}</ul>")
    return f'<div class="fn-why" data-testid="fn-why-not">{"".join(parts)}</div>'


def _where(retrieval: Retrieval, texts: Texts) -> str:
    kbs = ", ".join(retrieval.kbs) if len(retrieval.kbs) > 1 else ""
    limits = describe(retrieval.filters)
    counted = f"{texts.counted(texts.n_documents, retrieval.n_documents)} ({limits})" if retrieval.n_documents else ""
    return " · ".join(part for part in (kbs, counted) if part)


def _row(cells: Iterable[str], *, cell: str = "td") -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(text)}</{cell}>' for text in cells)}</tr>"


def _entry(term: str, value: str) -> str:
    return f"<div><dt>{escape(term)}</dt><dd>{escape(value)}</dd></div>"


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs)
