"""Claims with their citations and the hits of a search in, the values on which another document disagrees out.

Every hit is looked at, not only what the model was shown: an older edition is left out of prompts. Which of two
documents is newer is the business of `retrieval/editions.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from generation.answer import Citation, Claim
from generation.citing import Similarity
from generation.disagreement import DisagreementConfig, Pair, Statement, differing_across, disagreements
from generation.instructions import instruction_spans
from generation.matching import Weights, surface_of, terms_of, weights_of
from generation.names import unknown_subjects
from generation.numbers import missing_years
from generation.stated_values import Value, agree, stated_values
from generation.tables import spelled_lines
from ingest.document import Span
from ingest.language import has_cjk
from ingest.sentences import split_sentences
from retrieval.editions import looks_back, years_apart
from retrieval.retrieval import Hit


@dataclass(frozen=True, slots=True)
class ConflictConfig:
    """What counts as a conflict. Figures: benchmarks/LOG.md, 2026-11-25."""

    disagreement: DisagreementConfig = field(default_factory=DisagreementConfig)
    # The other passage speaks of this much less of the question than the cited one, at most.
    most_less_fit: float = 0.1
    least_of_title: float = 0.8  # of what the question says of one's title, in the other's passage
    # A sentence in the other language counts from this cosine on, for multilingual-e5-small, if it is nearer by so much
    # than any other of its passage. Of 26 translated sentences the cosine was .78 to .90, of the next one .75 to .84.
    least_similarity: float = 0.8
    least_nearer: float = 0.01
    most_shown: int = 3


@dataclass(frozen=True, slots=True)
class _Rival:
    hit: Hit
    span: Span  # in the hit's chunk
    statement: Statement


@dataclass(frozen=True, slots=True)
class Found:
    """A value of a claim that another document gives otherwise: where both stand, spans in the hits' chunks."""

    claim: int
    value: str
    citation: Citation
    other_value: str
    hit: Hit
    other_hit: Hit
    other_span: Span


def find_conflicts(
    claims: Sequence[Claim],
    hits: Sequence[Hit],
    question: str,
    *,
    similarity: Similarity | None = None,
    config: ConflictConfig | None = None,
) -> tuple[Found, ...]:
    """Give what disagrees, the claims in order, one for each value and other document.

    None for a question that looks back or compares: it asks for both.
    """
    config = config or ConflictConfig()
    if looks_back(question):
        return ()
    finder = _Finder(hits, question, similarity, config)
    found: dict[frozenset[tuple[str, str]], Found] = {}  # by what the two documents say, whichever is cited first
    for number, claim in enumerate(claims):
        for citation in claim.citations if claim.status != "unsupported" else ():
            for one in finder.of(number, claim, citation):
                said = ((one.value, one.hit), (one.other_value, one.other_hit))
                found.setdefault(frozenset((value, hit.chunk.document_id) for value, hit in said), one)
    return tuple(found.values())[: config.most_shown]


class _Finder:
    def __init__(
        self, hits: Sequence[Hit], question: str, similarity: Similarity | None, config: ConflictConfig
    ) -> None:
        self._hits = hits
        self._question = question
        self._similarity = similarity
        self._config = config
        self._asked = terms_of(question)
        self._rivals = [rival for hit in hits for rival in _statements(hit)]

    def of(self, number: int, claim: Claim, citation: Citation) -> Iterator[Found]:
        hit = next((hit for hit in self._hits if _holds(hit, citation)), None)
        if hit is None:
            return
        start = citation.span.start - hit.chunk.span.start
        quoted = Span(start, start + len(citation.quote))
        for cited in (rival for rival in _statements(hit) if rival.span.overlaps(quoted)):
            rivals = [rival for rival in self._rivals if not _is_same_document(rival.hit, hit)]
            for rival in rivals:
                said = disagreements(cited.statement, rival.statement, self._question, self._config.disagreement)
                if said and self._speaks_of_it(rival.hit, hit):
                    yield from self._said(number, claim, citation, cited, rival, said)
            yield from self._across(number, claim, citation, cited, rivals)

    def _said(
        self, number: int, claim: Claim, citation: Citation, cited: _Rival, rival: _Rival, said: Sequence[Pair]
    ) -> Iterator[Found]:
        for value, other in said:
            if self._is_asked(value, claim):
                yield Found(number, _text(value), citation, _text(other), cited.hit, rival.hit, rival.span)

    def _is_asked(self, value: Value | str, claim: Claim) -> bool:
        """Tell whether the claim says the value, and the question does not."""
        if isinstance(value, str):
            return value.lower() in claim.text.lower()
        said, asked = stated_values(claim.text), stated_values(self._question)
        return any(agree(value, one) for one in said) and not any(agree(value, one) for one in asked)

    def _speaks_of_it(self, other: Hit, hit: Hit) -> bool:
        """Tell whether another document's passage speaks of what is asked as much as the cited one does."""
        text, other_text = _whole(hit), _whole(other)
        if set(missing_years(self._question, other_text)) - set(missing_years(self._question, text)):
            return False
        if years_apart(self._question, hit, other):
            return False
        if self._is_of_another(hit, other_text) or self._is_of_another(other, text):
            return False
        unknown = set(unknown_subjects(self._question, other_text)) - set(unknown_subjects(self._question, text))
        return not unknown and self._fit(other_text) >= self._fit(text) - self._config.most_less_fit

    def _is_of_another(self, hit: Hit, text: str) -> bool:
        """Tell whether a passage's title names something of the question that the text doesn't."""
        named = self._asked & terms_of(hit.title)
        return self._weights.coverage(named, surface_of(text)) < self._config.least_of_title if named else False

    @cached_property
    def _weights(self) -> Weights:
        return weights_of(surface_of(hit.chunk.text) for hit in self._hits)

    def _fit(self, text: str) -> float:
        return self._weights.coverage(self._asked, surface_of(text))

    def _across(
        self, number: int, claim: Claim, citation: Citation, cited: _Rival, rivals: Sequence[_Rival]
    ) -> Iterator[Found]:
        """Find the statement in the other language that is nearest in meaning and gives one value otherwise."""
        if self._similarity is None:
            return
        text = cited.statement.text
        pairs = [
            (rival, pair)
            for rival in rivals
            if has_cjk(rival.statement.text) != has_cjk(text)
            and (pair := differing_across(text, rival.statement.text))
            and self._is_asked(pair[0], claim)
        ]
        if not pairs:
            return
        close = self._similarity([text], [rival.statement.text for rival, _ in pairs])[0]
        best = int(close.argmax())
        rival, (value, other) = pairs[best]
        beside = [one.statement.text for one in self._rivals if one.hit is rival.hit and one.span != rival.span]
        nearest = max(self._similarity([text], beside)[0], default=0.0) if beside else 0.0
        if close[best] >= max(self._config.least_similarity, nearest + self._config.least_nearer):
            yield Found(number, value.text, citation, other.text, cited.hit, rival.hit, rival.span)


def _statements(hit: Hit) -> list[_Rival]:
    """Give the sentences of a passage, and rows spelled out with their columns, without what speaks to the model."""
    text = hit.chunk.text
    orders = set(instruction_spans(text))
    spelled = dict(zip(text.split("\n"), spelled_lines(text, hit.chunk.headings), strict=True))
    label = "\n".join((hit.title, *hit.chunk.headings))
    found: list[_Rival] = []
    before = ""
    for span in split_sentences(text):
        sentence = span.of(text)
        if span not in orders and len(sentence) > 3:
            found.append(_Rival(hit, span, Statement(spelled.get(sentence, sentence), f"{label}\n{before}")))
        before = sentence
    return found


def _text(value: Value | str) -> str:
    return value if isinstance(value, str) else value.text


def _is_same_document(one: Hit, other: Hit) -> bool:
    return one.chunk.document_id == other.chunk.document_id and one.kb == other.kb


def _holds(hit: Hit, citation: Citation) -> bool:
    same = hit.chunk.document_id == citation.document_id and hit.kb == citation.kb
    return same and hit.chunk.span.overlaps(citation.span)


def _whole(hit: Hit) -> str:
    return "\n".join((hit.title, *hit.chunk.headings, hit.chunk.text))
