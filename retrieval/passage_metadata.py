"""A hit in, flat metadata out: what LangChain and LlamaIndex hang on a passage. Plain values, that stores keep."""

from collections.abc import Mapping

from retrieval.retrieval import Hit

Value = str | int | float | None

# What helps a model to answer; the rest is for programs.
SHOWN_TO_MODELS = ("title", "page", "headings")


def passage_metadata(hit: Hit) -> dict[str, Value]:
    """Say where a passage stands and how it was found.

    `start` and `end` are offsets into the document's text, `found_start` and `found_end` those of the words that were
    found where the passage was widened around them; `score_NAME` is its score at a stage.
    """
    chunk = hit.chunk
    found = hit.found or chunk.span
    seconds = hit.seconds or (None, None)
    values: Mapping[str, Value] = {
        "document_id": chunk.document_id,
        "chunk_id": chunk.id,
        "source": hit.source,
        "title": hit.title,
        "page": chunk.page,
        "page_label": hit.page_label or None,
        "headings": " > ".join(chunk.headings),
        "start": chunk.span.start,
        "end": chunk.span.end,
        "found_start": found.start,
        "found_end": found.end,
        "start_seconds": seconds[0],
        "end_seconds": seconds[1],
        "newer_edition": hit.newer_edition or None,
        "rank": hit.rank,
        "score": hit.score,
        **{f"score_{name}": stage.score for name, stage in hit.stages.items()},
    }
    return {name: value for name, value in values.items() if value is not None}
