"""What a model writes in, piece by piece, the text to show and its cited claims out. Knows no model and no stream."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from generation.answer import Citation, Claim
from generation.citing import Evidence, EvidenceIndex, Similarity
from generation.claims import ClaimEnd, ClaimStream
from generation.condense import Relevance
from generation.fields import descriptions, misread
from generation.judging import ProbedJudge
from generation.llm import Prompt
from generation.picturing import picture_meant
from generation.second_look import gives_no_amount
from generation.short_claims import Closeness, adds_only_a_value, labelled, speaks_of_something_else
from generation.support import Support, SupportConfig, check_support
from generation.surroundings import near, other_thing, passages_of
from ingest.document import Page, Span
from retrieval.editions import Dated
from retrieval.retrieval import Hit

PageOf = Callable[[Hit, int], Page | None]  # at an offset of the hit's document
SecondsOf = Callable[[Hit, Span], tuple[float, float] | None]  # of words in a recording
Clock = Callable[[], float]
DatedOf = Callable[[Hit], Dated]


@dataclass(frozen=True, slots=True)
class Lookups:
    """What an answer is checked and drawn with. Without them claims have no page and are compared by words alone."""

    page_of: PageOf | None = None
    seconds_of: SecondsOf | None = None
    similarity: Similarity | None = None
    relevance: Relevance | None = None
    judge: ProbedJudge | None = None
    dated_of: DatedOf | None = None
    clock: Clock = time.perf_counter


_ENUMERATOR = re.compile(r"^\W*(?:\d{1,3}[.)、]\s*)?")
_ONLY_ENUMERATOR = re.compile(r"\W*(?:\d{1,3}[.)、]?\s*)?")
_LONG_ENOUGH = 12  # characters; "Yes." may be said twice


class Composer:
    """Turn the model's text into the shown text: claims cited as soon as they end, markers numbered by first use."""

    def __init__(
        self,
        prompt: Prompt,
        index: EvidenceIndex,
        support: SupportConfig,
        lookups: Lookups,
        closeness: Closeness | None = None,
    ) -> None:
        self.text = ""
        self.completion = ""
        self.claims: list[Claim] = []
        self.unresolved: list[str] = []
        self.labelled_quotes: list[str] = []
        self._contexts: list[str] = []
        self._near: list[str] = []
        self.seconds = 0.0
        # The model says a sentence again: small ones never stop once they do. Nothing more is taken then.
        self.is_looping = False
        self._said: set[str] = set()
        self._held = ""
        self.question = prompt.question
        self._prompt = prompt
        self._support = support
        self._lookups = lookups
        self._closeness = closeness
        self._index = index
        self._stream = ClaimStream()
        self._described = descriptions(heading for hit in prompt.passages for heading in hit.chunk.headings)
        self._markers: dict[tuple[str, str, Span], int] = {}

    def feed(self, piece: str) -> str:
        """Take what the model wrote, give what to show."""
        shown = ""
        for character in piece:  # one by one, so that it ends at the same place however the text is cut into pieces
            if self.is_looping:
                break
            self.completion += character
            shown += self._shown(self._stream.feed(character))
        return shown

    def flush(self) -> str:
        """Give the rest when the model has ended."""
        return "" if self.is_looping else self._shown(self._stream.flush()) + self._released()

    @property
    def surroundings(self) -> str:
        """Everything around the quotes used: title, headings, neighbours, the file's name."""
        return "\n".join(self._contexts)

    @property
    def near(self) -> str:
        """What the quotes can refer to: themselves, title, headings, columns, the text just before."""
        return "\n".join(self._near)

    def cite(self, hit: Hit, span: Span) -> Citation:
        """Cite a span of a hit's chunk that backs no claim: what disagrees with one."""
        start = hit.chunk.span.start
        placed = Span(start + span.start, start + span.end)
        evidence = Evidence(hit, placed, span.of(hit.chunk.text), 1.0, frozenset(), frozenset())
        return self._citation(evidence, "supported")

    @property
    def gives_no_amount(self) -> bool:
        """Tell whether an amount is asked for and none is given."""
        return gives_no_amount(self.question, [claim.text for claim in self.claims])

    def _shown(self, events: Iterable[str | ClaimEnd]) -> str:
        """Show what is new. Text that may become a sentence said before is held back until it differs."""
        shown = ""
        for event in events:
            if isinstance(event, ClaimEnd):
                said = _ENUMERATOR.sub("", event.text)
                if len(said) >= _LONG_ENOUGH and said in self._said:
                    self.is_looping = True
                    break
                shown += self._released()
                self._said.add(said)
                cited = self._cite(event)
                self.text += cited
                shown += cited
                continue
            self._held += event
            begun = _ENUMERATOR.sub("", self._held)
            if not _ONLY_ENUMERATOR.fullmatch(self._held) and not any(
                said.startswith(begun.rstrip()) for said in self._said
            ):
                shown += self._released()
        return shown

    def _released(self) -> str:
        released, self._held = self._held, ""
        self.text += released
        return released

    def _cite(self, end: ClaimEnd) -> str:
        started = self._lookups.clock()
        body = end.text[: len(end.text) - len(end.tail)]
        start = len(self.text) - len(body)
        hinted = {number for marker in end.markers for number in marker.numbers}
        known = range(1, len(self._prompt.passages) + 1)
        self.unresolved += [m.raw for m in end.markers if not all(number in known for number in m.numbers)]
        only_a_value = adds_only_a_value(end.text, self.question)
        evidence = self._index.find(
            end.text, hinted, self._lookups.similarity, self._closeness if only_a_value else None
        )
        context = passages_of(evidence)
        self.labelled_quotes += [labelled(e) for e in evidence]
        referred_to = near(evidence)
        self._near += referred_to
        # A file's name often holds the year that its text takes for granted: leave-policy-2023.md.
        self._contexts += [context, *(e.hit.source for e in evidence)]
        support = check_support(
            end.text,
            [e.quote for e in evidence],
            question=self.question,
            context=context,
            weights=self._index.weights,
            config=self._support,
        )
        chunks = [e.hit.chunk for e in evidence]
        read = misread(end.text, self.question, [e.quote for e in evidence], chunks, self._described)
        read = read or other_thing(end.text, self.question, evidence)
        if self._closeness and not read and support.status != "unsupported":
            around = "\n".join(referred_to)
            weights = self._index.weights
            read = speaks_of_something_else(end.text, self.question, evidence, around, self._closeness, weights)
        if read:
            support = Support("unsupported", support.score, (*support.reasons, read))
        if self._lookups.judge and evidence:
            said = f"{self.question} {end.text}" if only_a_value else end.text
            support = self._lookups.judge.judged(support, "\n".join(labelled(e) for e in evidence), said)
        citations = (
            () if support.status == "unsupported" else tuple(self._citation(e, support.status) for e in evidence)
        )
        markers = "".join(f"[{number}]" for number in sorted({c.marker for c in citations}))
        blank = " " if markers and body[-1:].isascii() else ""
        shown = blank + markers + end.tail
        read_in = picture_meant(self._prompt, hinted) if not citations else 0
        picture = self._prompt.pictures[read_in - 1].media.name if read_in else ""
        quoted = {number for number, hit in enumerate(self._prompt.passages, 1) if any(e.hit is hit for e in evidence)}
        named = [m for m in end.markers if any(number in known for number in m.numbers)]
        corrected = tuple(m.raw for m in named) if citations and not quoted & hinted else ()
        pointed_at = tuple(sorted(self._prompt.passages[n - 1].rank for n in hinted if n in known)) if corrected else ()
        span = Span(start, len(self.text) + len(shown))
        self.claims.append(Claim(end.text, span, citations, support.status, picture, corrected, read_in, pointed_at))
        self.seconds += self._lookups.clock() - started
        return shown

    def _citation(self, evidence: Evidence, status: Any) -> Citation:
        hit, chunk = evidence.hit, evidence.hit.chunk
        marker = self._markers.setdefault((hit.kb, chunk.document_id, evidence.span), len(self._markers) + 1)
        page = self._lookups.page_of(hit, evidence.span.start) if self._lookups.page_of else None
        return Citation(
            marker=marker,
            document_id=chunk.document_id,
            source=hit.source,
            title=hit.title,
            page=page.number if page else chunk.page,
            span=evidence.span,
            quote=evidence.quote,
            status=status,
            score=evidence.score,
            page_label=page.printed if page else hit.page_label,
            seconds=self._lookups.seconds_of(hit, evidence.span) if self._lookups.seconds_of else None,
            kb=hit.kb,
        )
