"""Claims and passages in, the verbatim sentences that back each claim out. Trusts no marker; knows no model.

A sentence is evidence when it holds what the claim adds to the question (its answer-bearing terms) and fits the
question, itself or with its neighbours, heading and title. The model's own marker is a small bonus.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.instructions import instruction_spans
from generation.intervals import surface_with
from generation.matching import Weights, surface_of, terms_of, union, weights_of
from generation.numbers import UNIT_WORDS, Quantity, quantities
from ingest.document import Span
from ingest.language import has_cjk
from ingest.sentences import split_sentences
from retrieval.retrieval import Hit

Similarity = Callable[[Sequence[str], Sequence[str]], npt.NDArray[np.float32]]


_WORDS = re.compile(r"[^\W_]")  # a table's rule says nothing


@dataclass(frozen=True, slots=True)
class CitingConfig:
    """How sentences are chosen for a claim. All weights are shares of a score that runs from 0 to about 1."""

    added_weight: float = 0.5  # what the claim adds to the question
    claim_weight: float = 0.2  # the claim as a whole
    question_weight: float = 0.3  # how the sentence and its surroundings fit the question
    context_share: float = 0.5  # a question term in the neighbours, heading or title counts this much
    hint_bonus: float = 0.05  # the model's marker names this passage
    least_score: float = 0.25  # below, a sentence is no evidence
    sure_score: float = 0.6  # from here on, sentences in another language are not looked at: embedding them costs time
    closeness_weight: float = 0.5  # of a sentence to the question, for a claim that only adds a value
    unit_bonus: float = 0.2  # "20 days" is rather in "20 days" than in "20 and more: 6 days"
    most_rivals: int = 8
    most_citations: int = 3
    # A further sentence must add this share of the claim's weight that the first ones lack.
    least_gain: float = 0.25
    similarity_weight: float = 0.8  # for claims in another language than the sentence
    # For multilingual-e5-small. With .8 and 1.0 (a quote from a cosine of .88 on) 32 of 39 Chinese claims over English
    # passages found no quote, and the 7 that did the right one. These accept from .82 on; not measured since, which is
    # why such a claim is never more than "partial".
    least_similarity: float = 0.78
    least_similarity_without_facts: float = 0.83  # where claim and sentence share no number or date
    full_similarity: float = 0.9


@dataclass(frozen=True, slots=True)
class Sentence:
    """One quotable unit of a passage. `span` is in `hit.chunk.text`; `context` holds its surroundings' terms."""

    number: int
    hit: Hit
    span: Span
    text: str
    terms: frozenset[str]
    context: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote chosen for a claim: `quote == document.text[span]`."""

    hit: Hit
    span: Span
    quote: str
    score: float
    terms: frozenset[str]
    context: frozenset[str]


class EvidenceIndex:
    """The sentences of one prompt's passages, ready to be matched against claims."""

    def __init__(self, passages: Sequence[Hit], question: str, config: CitingConfig | None = None) -> None:
        self.config = config or CitingConfig()
        self.question = terms_of(question)
        self._asked = surface_of(question)
        self.titles = tuple(hit.title for hit in passages)
        self.sentences = _sentences(passages, quantities(question))
        self.weights: Weights = weights_of(sentence.terms for sentence in self.sentences)

    def find(
        self,
        claim: str,
        hinted: Collection[int] = (),
        similarity: Similarity | None = None,
        closeness: Callable[[Sequence[str]], npt.NDArray[np.float32]] | None = None,
    ) -> tuple[Evidence, ...]:
        """Give the best quotes for a claim, best first, none when nothing fits.

        `closeness` to the question tells sentences that hold the same value apart; it is for claims that add no more.
        """
        if not self.sentences:
            return ()
        terms = terms_of(claim)
        scores = np.array([self._score(terms, sentence, hinted) for sentence in self.sentences])  # (n_sentences,)
        if similarity is not None and scores.max() < self.config.sure_score:
            scores = np.maximum(scores, self._across_languages(claim, similarity))
        if closeness is not None:
            scores += self._closer(claim, scores, closeness)
        best = int(np.argmax(scores))
        if scores[best] < self.config.least_score:
            return ()
        chosen = [best]
        # A sentence that shares but the unit, "1.50 crowns" for "58.00 crowns", says nothing more.
        added = terms - self._asked - terms_of(UNIT_WORDS) or terms
        while len(chosen) < self.config.most_citations:
            following = self._next(added, chosen, scores)
            if following is None:
                break
            chosen.append(following)
        return tuple(self._quotes(chosen, scores))

    def fit(self, evidence: Sequence[Evidence]) -> float:
        """Give how much of the question, 0 to 1, the evidence and its surroundings speak of."""
        return self.weights.coverage(self.question, union([e.terms | e.context for e in evidence]))

    def _score(self, terms: frozenset[str], sentence: Sentence, hinted: Collection[int]) -> float:
        config, weights = self.config, self.weights
        added = terms - self._asked or terms
        fit = weights.coverage(self.question, sentence.terms)
        around = weights.coverage(self.question, sentence.terms | sentence.context)
        score = (
            config.added_weight * weights.coverage(added, sentence.terms)
            + config.claim_weight * weights.coverage(terms, sentence.terms)
            + config.question_weight * (fit + config.context_share * (around - fit))
        )
        return score + (config.hint_bonus if sentence.number in hinted else 0.0)

    def _across_languages(self, claim: str, similarity: Similarity) -> npt.NDArray[np.float64]:
        scores = np.zeros(len(self.sentences))
        foreign = [i for i, s in enumerate(self.sentences) if has_cjk(s.text) != has_cjk(claim)]
        if foreign:
            close = similarity([claim], [self.sentences[i].text for i in foreign])[0]  # (len(foreign),)
            full = self.config.full_similarity
            facts = {term for term in terms_of(claim) if term[0] in "#@"}
            for i, value in zip(foreign, close, strict=True):
                shares = facts & self.sentences[i].terms
                floor = self.config.least_similarity if shares else self.config.least_similarity_without_facts
                share = min(1.0, max(0.0, (float(value) - floor) / (full - floor)))
                scores[i] = share * self.config.similarity_weight
        return scores

    def _closer(
        self, claim: str, scores: npt.NDArray[np.float64], closeness: Callable[[Sequence[str]], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float64]:
        """Give what sentences gain by being close to the question, and by stating the claim's number in its unit."""
        config, extra = self.config, np.zeros(len(scores))
        rivals = np.argsort(-scores, kind="stable")[: config.most_rivals]
        rivals = rivals[scores[rivals] >= max(config.least_score, scores.max() - config.closeness_weight)]
        if len(rivals) > 1:
            shown = [self.sentences[i] for i in rivals]
            texts = [" > ".join((s.hit.title, *s.hit.chunk.headings)) + f"\n{s.text}" for s in shown]
            wanted = {(q.value, q.unit) for q in quantities(claim) if q.unit}
            same = [any((q.value, q.unit) in wanted for q in quantities(s.text)) for s in shown]
            extra[rivals] = config.closeness_weight * np.clip(closeness(texts), 0, 1)  # (n_rivals,)
            extra[rivals] += config.unit_bonus * np.array(same)
        return extra

    def _next(self, added: frozenset[str], chosen: Sequence[int], scores: npt.NDArray[np.float64]) -> int | None:
        """Give the sentence that adds most of what the chosen ones lack, if it adds enough."""
        have = union([self.sentences[i].terms for i in chosen])
        lacking = added - have
        whole = self.weights.total(added)
        gains = [
            self.weights.total(lacking & s.terms) / whole if whole and i not in chosen else 0.0
            for i, s in enumerate(self.sentences)
        ]
        best = max(range(len(gains)), key=lambda i: (gains[i], scores[i], -i))
        # A number or date that no quote has yet is always worth one: the support check asks for it.
        fact = any(term[0] in "#@" for term in lacking & self.sentences[best].terms)
        return best if gains[best] >= self.config.least_gain or (fact and gains[best] > 0) else None

    def _quotes(self, chosen: Sequence[int], scores: npt.NDArray[np.float64]) -> list[Evidence]:
        """Turn sentences into quotes; neighbours in one passage become one quote."""
        groups: list[list[int]] = []
        for i in sorted(chosen):
            if groups and groups[-1][-1] == i - 1 and self.sentences[i].hit is self.sentences[i - 1].hit:
                groups[-1].append(i)
            else:
                groups.append([i])
        groups.sort(key=lambda group: min(chosen.index(i) for i in group))
        return [self._quote(group, float(max(scores[i] for i in group))) for group in groups]

    def _quote(self, group: Sequence[int], score: float) -> Evidence:
        parts = [self.sentences[i] for i in group]
        hit = parts[0].hit
        start, end = parts[0].span.start, parts[-1].span.end
        offset = hit.chunk.span.start
        return Evidence(
            hit=hit,
            span=Span(offset + start, offset + end),
            quote=hit.chunk.text[start:end],
            score=round(min(score, 1.0), 4),
            terms=union([part.terms for part in parts]),
            context=union([part.context for part in parts]),
        )


def _sentences(passages: Sequence[Hit], asked: Sequence[Quantity]) -> list[Sentence]:
    found: list[Sentence] = []
    for number, hit in sorted(enumerate(passages, 1), key=lambda entry: entry[1].rank):  # of equals the best is cited
        named = {" ".join(part.split()) for part in (hit.title, *hit.chunk.headings)}
        orders = set(instruction_spans(hit.chunk.text))
        spans = [
            span
            for span in split_sentences(hit.chunk.text)
            if span not in orders
            and _WORDS.search(span.of(hit.chunk.text))
            and " ".join(span.of(hit.chunk.text).strip("# ").split()) not in named  # a heading states nothing
        ]
        terms = [surface_with(span.of(hit.chunk.text), asked) for span in spans]
        label = surface_of(" ".join((hit.title, *hit.chunk.headings)))
        for i, span in enumerate(spans):
            context = union([label, *terms[max(0, i - 2) : i], *terms[i + 1 : i + 2]])
            found.append(Sentence(number, hit, span, span.of(hit.chunk.text), terms[i], context))
    return found
