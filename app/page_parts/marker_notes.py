"""An Answer in, what became of the markers that its model wrote out, in words: corrected ones, invented ones."""

from collections.abc import Iterator

from app.page_parts.excerpt import shorten
from app.page_parts.texts import Texts
from generation.answer import Answer, Claim


def marker_notes(answer: Answer, texts: Texts) -> list[str]:
    """Say which markers pointed at another passage than the quoted one, and which at none; empty if all were right."""
    notes = [_corrected(claim, answer, texts) for claim in answer.claims if claim.corrected and claim.citations]
    if answer.unresolved:
        notes.append(texts.unresolved.format(markers=" ".join(answer.unresolved)))
    return notes


def _corrected(claim: Claim, answer: Answer, texts: Texts) -> str:
    places = dict.fromkeys(_places(claim, answer, texts))
    stand = " ".join(dict.fromkeys(f"[{citation.marker}]" for citation in claim.citations))
    form = texts.corrected if places else texts.corrected_elsewhere
    return form.format(
        written=" ".join(claim.corrected), pointed="; ".join(places), stand=stand, claim=shorten(claim.text, 120)
    )


def _places(claim: Claim, answer: Answer, texts: Texts) -> Iterator[str]:
    """Name the passages that the markers of the model pointed at."""
    for hit in answer.retrieval.hits:
        if hit.rank in claim.pointed_at:
            yield texts.place(hit.title, hit.chunk.page, hit.page_label, hit.seconds)
