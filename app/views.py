"""Engine values in, JSON objects and lines of text out: what the command line prints. The JSON shapes are fixed."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from app.ordinal import ordinal
from app.places import clock_range
from generation.answer import Answer, Citation, Conflict
from generation.instructions import Notice, notices_of
from generation.prompts import PromptLanguage, prompt_language
from ingest.discover import Failure
from ingest.export_kb import Exported
from ingest.pipeline import IngestReport
from ingest.plan import Plan
from retrieval.filters import describe
from retrieval.retrieval import Hit, Retrieval

# JSON objects have values of many types.
Json = dict[str, Any]

FROM_MODEL: dict[PromptLanguage, str] = {
    "en": "(From the model alone, not from your documents: nothing was looked up, cited or checked.)",
    "zh": "（仅来自模型，不来自您的文档：未经检索、引用和核对。）",
}
_MARKS = {"supported": "✓", "partial": "~", "unsupported": "✗"}


def ingest_json(report: IngestReport) -> Json:
    """Give the object that `footnote ingest --json` prints."""
    return {
        "added": len(report.added),
        "updated": len(report.updated),
        "unchanged": len(report.unchanged),
        "removed": len(report.removed),
        "failed": _failures_json(report.failed),
        "skipped": _failures_json(report.skipped),
        "ignored": _failures_json(report.ignored),
        "moved": [{"from": move.old, "to": move.new} for move in report.moved],
        "invisible": _failures_json(report.invisible),
        "left": report.n_left,
        "chunks": report.chunks,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
    }


def ingest_lines(report: IngestReport) -> list[str]:
    """Say what an ingest changed and what failed."""
    counts = {
        "added": report.added,
        "updated": report.updated,
        "moved": report.moved,
        "unchanged": report.unchanged,
        "removed": report.removed,
    }
    summary = ", ".join(f"{len(sources)} {name}" for name, sources in counts.items() if sources) or "nothing to do"
    lines = [f"{summary}; {report.chunks} chunks, {report.embedded} embedded, {report.seconds:.1f} s"]
    lines += [f"moved:   {move.old} -> {move.new}" for move in report.moved]
    lines += [f"hidden:  {notice.reason}" for notice in report.invisible]
    return [*lines, *_left_out_lines(report.skipped, report.ignored, report.failed)]


def plan_json(plan: Plan) -> Json:
    """Give the object that `footnote ingest --dry-run --json` prints."""
    return {
        "dry_run": True,
        "added": list(plan.added),
        "updated": list(plan.updated),
        "moved": [{"from": move.old, "to": move.new} for move in plan.moved],
        "removed": list(plan.removed),
        "unchanged": list(plan.unchanged),
        "pages": list(plan.pages),
        "failed": _failures_json(plan.failed),
        "skipped": _failures_json(plan.skipped),
        "ignored": _failures_json(plan.ignored),
    }


def plan_lines(plan: Plan) -> list[str]:
    """Say what an ingest would do."""
    moved = [f"{move.old} -> {move.new}" for move in plan.moved]
    kinds = {"add": plan.added, "update": plan.updated, "move": moved, "remove": plan.removed}
    lines = [f"would {kind}: {source}" for kind, sources in kinds.items() for source in sources]
    lines += [f"would fetch unless unchanged: {url}" for url in plan.pages]
    kinds["fetch"] = plan.pages
    counts = ", ".join(f"{len(sources)} to {kind}" for kind, sources in kinds.items() if sources) or "nothing to do"
    left_out = _left_out_lines(plan.skipped, plan.ignored, plan.failed)
    return [*lines, *left_out, f"{counts}; {len(plan.unchanged)} unchanged. Nothing was changed: this was a dry run"]


def stopped_lines(report: IngestReport, command: str) -> list[str]:
    """Say what an interrupted ingest kept, and how to go on."""
    n_kept = len(report.added) + len(report.updated) + len(report.moved) + len(report.removed)
    return [
        f"Stopped. {n_kept} changes are kept and can be searched, {len(report.unchanged)} files were up to date,"
        f" {report.n_left} are still to do; go on with: {command}"
    ]


def exported_json(exported: Exported) -> Json:
    """Give what `footnote kb export --json` and `kb import --json` say of an archive."""
    return {
        "documents": exported.documents,
        "chunks": exported.chunks,
        "vectors": exported.vectors,
        "embedder": exported.embedder,
        "bytes": exported.n_bytes,
    }


def _failures_json(failures: Sequence[Failure]) -> list[dict[str, str]]:
    return [{"source": failure.source, "reason": failure.reason} for failure in failures]


def _left_out_lines(skipped: Sequence[Failure], ignored: Sequence[Failure], failed: Sequence[Failure]) -> list[str]:
    lines = [f"skipped: {failure.reason}" for failure in skipped]
    lines += [f"ignored: {failure.reason}" for failure in ignored[:20]]
    if len(ignored) > 20:
        lines.append(f"and {len(ignored) - 20} more are ignored; --json has them all")
    return lines + [f"failed:  {failure.reason}" for failure in failed]


def retrieval_json(retrieval: Retrieval, *, explain: bool) -> Json:
    """Give the object that `footnote search --json` prints; with `explain` also what was dropped."""
    shown: Json = {"question": retrieval.question, "hits": [_hit_json(hit) for hit in retrieval.hits]}
    shown |= _scope_json(retrieval)
    if explain:
        shown["queries"] = list(retrieval.queries)
        shown["parts"] = list(retrieval.parts)
        shown["stages"] = list(retrieval.stages)
        shown["dropped"] = [
            {
                "chunk_id": drop.chunk_id,
                "source": drop.source,
                "kb": drop.kb,
                "stage": drop.stage,
                "reason": drop.reason,
            }
            for drop in retrieval.dropped
        ]
        shown["evidence"] = dict(retrieval.evidence)
    return {**shown, "generation": retrieval.generation, "timings": _rounded(retrieval.timings)}


def retrieval_lines(retrieval: Retrieval, *, explain: bool) -> list[str]:
    """Show hits for people; with `explain` their way through the stages."""
    if not retrieval.hits and retrieval.dropped:
        return [f"No passage left: {retrieval.dropped[0].reason}. See all with --explain --json"]
    if not retrieval.hits:
        return ["No passage found. Is the knowledge base empty? See: footnote kb show"]
    lines: list[str] = []
    if limits := describe(retrieval.filters):
        lines += [f"looked in {retrieval.n_documents} documents ({limits})", ""]
    several = len(retrieval.kbs) > 1
    for hit in retrieval.hits:
        place = f"{hit.title}{_place(hit.chunk.page, hit.page_label, hit.seconds)}"
        holder = f"{hit.kb}: " if several else ""
        lines.append(f"{hit.rank}. {place}  {hit.score:.3f}  {holder}{hit.source}")
        lines += [f"   {line}" for line in notice_lines(notices_of([hit]))]
        if hit.newer_edition:
            lines.append(f"   older edition; newer: {hit.newer_edition}")
        if explain:
            stages = [f"{name} {stage.score:.3f} (rank {stage.rank})" for name, stage in hit.stages.items()]
            lines.append(f"   {'; '.join(stages)}; terms: {', '.join(hit.matched_terms) or 'none'}")
        lines += [
            f"   {line}"
            for line in _clip(hit.chunk.text, 400 if hit.found is None else len(hit.chunk.text)).splitlines()
        ]
        lines.append("")
    if explain:
        lines.append(f"stages: {', '.join(retrieval.stages)}")
        lines.append(f"evidence: {', '.join(f'{name} {value:.3f}' for name, value in retrieval.evidence.items())}")
        lines += [f"dropped: {drop.source} {drop.chunk_id}: {drop.reason}" for drop in retrieval.dropped[:20]]
        if len(retrieval.dropped) > 20:
            lines.append(f"and {len(retrieval.dropped) - 20} more; --json has them all")
    return lines


def answer_json(answer: Answer) -> Json:
    """Give the object that `footnote ask --json` prints."""
    return {
        "question": answer.question,
        "answer": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason,
        "refusal": answer.refusal,
        "missing": list(answer.missing),
        "claims": [
            {
                "text": claim.text,
                "status": claim.status,
                "picture": claim.picture,
                "corrected": list(claim.corrected),
                "citations": [_citation_json(citation) for citation in claim.citations],
            }
            for claim in answer.claims
        ],
        "conflicts": [_conflict_json(conflict) for conflict in answer.conflicts],
        "conflict_text": answer.conflict_text,
        "unresolved": list(answer.unresolved),
        "notices": [asdict(notice) for notice in answer.notices],
        "pictures": [picture.media.name for picture in answer.pictures],
        "boxes": [asdict(box) for box in answer.boxes],
        "query": answer.retrieval.queries[0],
        **_scope_json(answer.retrieval),
        "hits": [_hit_json(hit) for hit in answer.retrieval.hits],
        "generation": answer.retrieval.generation,
        "timings": _rounded({**answer.retrieval.timings, **answer.timings}),
        "model": answer.model,
        "notes": list(answer.notes),
        "thinking": answer.thinking,
        "sampling": {**asdict(answer.sampling), "stop": list(answer.sampling.stop)} if answer.sampling else None,
    }


def answer_notes(answer: Answer) -> list[str]:
    """Say, under an answer's text, what each marker quotes, which claims are not supported, and what was unresolved."""
    written_by = [f"written by: {answer.model}"] if " (stand-by: " in answer.model else []
    written_by += [f"note: {note}" for note in answer.notes]
    if not answer.from_documents:
        return [FROM_MODEL[prompt_language(answer.question)], *written_by]
    if answer.abstained:
        lines = [f"({answer.reason})", *written_by]
        if answer.retrieval.hits:
            nearest = answer.retrieval.hits[0]
            place = f"{nearest.title}{_place(nearest.chunk.page, nearest.page_label, nearest.seconds)}"
            lines.append(f"nearest: {place}: “{_clip(nearest.chunk.text, 160)}”")
        return lines + notice_lines(answer.notices)
    lines = []
    cited = {citation.marker: citation for citation in answer.citations}
    for marker, citation in sorted(cited.items()):
        place = f"{citation.title}{_place(citation.page, citation.page_label, citation.seconds)}"
        lines.append(f"[{marker}] {_MARKS[citation.status]} {place}: “{_clip(citation.quote, 300)}”")
        holder = f"{citation.kb}: " if len(answer.retrieval.kbs) > 1 else ""
        lines.append(f"      {holder}{citation.source}")
    for claim in answer.claims:
        if claim.picture:
            lines.append(f"read in the picture of {claim.picture}, not checked in words: {claim.text}")
        elif claim.status == "unsupported":
            lines.append(f"not supported: {claim.text}")
        elif claim.corrected:
            lines.append(f"the model cited {' '.join(claim.corrected)}, another passage, for: {claim.text}")
    if answer.unresolved:
        lines.append(f"markers that name no passage: {', '.join(answer.unresolved)}")
    return lines + written_by + notice_lines(answer.notices)


def notice_lines(notices: Sequence[Notice]) -> list[str]:
    """Say which sources speak to the model, or hold characters that no reader sees."""
    return [
        f"caution: {PurePath(notice.source).name} speaks to the model, which was not shown it: “{notice.quote}”"
        if notice.kind == "instruction"
        else f"caution: {PurePath(notice.source).name} holds {notice.n} invisible characters, kept from the model"
        for notice in notices
    ]


def _scope_json(retrieval: Retrieval) -> Json:
    """Say where was looked: the knowledge bases, the filters as they were understood, and how many documents fit."""
    filters = retrieval.filters
    days = {"from": filters.since, "until": filters.until}
    echoed: Json = {
        **{name: list(getattr(filters, name)) for name in ("documents", "folders", "types", "tags")},
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "fitting": retrieval.n_documents,
    }
    return {"kbs": list(retrieval.kbs), "filters": None if filters.is_empty else echoed}


def _hit_json(hit: Hit) -> Json:
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "document_id": hit.chunk.document_id,
        "kb": hit.kb,
        "source": hit.source,
        "title": hit.title,
        "page": hit.chunk.page,
        "page_label": hit.page_label,
        **_seconds_json(hit.seconds),
        "start": hit.chunk.span.start,
        "end": hit.chunk.span.end,
        "text": hit.chunk.text,
        **({"found_start": hit.found.start, "found_end": hit.found.end} if hit.found else {}),
        "headings": list(hit.chunk.headings),
        "matched_terms": list(hit.matched_terms),
        "newer_edition": hit.newer_edition,
        "notices": [asdict(notice) for notice in notices_of([hit])],
        "stages": {name: {"rank": stage.rank, "score": round(stage.score, 6)} for name, stage in hit.stages.items()},
    }


def _citation_json(citation: Citation) -> Json:
    return {
        "marker": citation.marker,
        "document_id": citation.document_id,
        "kb": citation.kb,
        "source": citation.source,
        "title": citation.title,
        "page": citation.page,
        "page_label": citation.page_label,
        **_seconds_json(citation.seconds),
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "status": citation.status,
        "score": round(citation.score, 4),
    }


def _conflict_json(conflict: Conflict) -> Json:
    return {
        "claim": conflict.claim,
        "value": conflict.value,
        "citation": _citation_json(conflict.citation),
        "dated": conflict.dated,
        "other_value": conflict.other_value,
        "other": _citation_json(conflict.other),
        "other_dated": conflict.other_dated,
        "newer": conflict.newer,
        "by_file": conflict.by_file,
    }


def _place(page: int | None, label: str, seconds: tuple[float, float] | None) -> str:
    if seconds:
        return f", {clock_range(seconds)}"
    if page is None:
        return ""
    return f", page {label} ({ordinal(page)})" if label else f", page {page}"


def _seconds_json(seconds: tuple[float, float] | None) -> Json:
    start, end = seconds or (None, None)
    return {"start_seconds": start, "end_seconds": end}


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _rounded(timings: Any) -> dict[str, float]:  # Mapping[str, float], which dict() would widen
    return {name: round(seconds, 4) for name, seconds in timings.items()}
