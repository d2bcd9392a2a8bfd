"""A prompt in, its best sentences quoted out. No model: the words are the documents' own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generation.citing import EvidenceIndex, Sentence
from generation.llm import Prompt, SamplingConfig
from generation.prompts import REFUSALS, prompt_language
from ingest.token_estimate import estimate_tokens
from retrieval.editions import looks_back


@dataclass(frozen=True, slots=True)
class ExtractiveConfig:
    """How many sentences are quoted and how well they must fit."""

    most_sentences: int = 2
    least_coverage: float = 0.3  # of the question's weighted terms, by the sentence itself and its surroundings
    least_share: float = 0.7  # a further sentence scores at least this share of the best


class Extractive:
    """An LLM that only quotes. The same question and passages always give the same text."""

    def __init__(self, config: ExtractiveConfig | None = None) -> None:
        self.config = config or ExtractiveConfig()

    @property
    def name(self) -> str:
        """The name shown to the user."""
        return "extractive"

    @property
    def context_tokens(self) -> int:
        """Passages are read, not computed: there is room for all."""
        return 1_000_000

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the best sentences, each with its passage's marker, or the refusal when none fits."""
        index = EvidenceIndex(prompt.passages, prompt.question)
        ranked = sorted(
            ((_score(index, sentence), i) for i, sentence in enumerate(index.sentences)), key=lambda x: (-x[0], x[1])
        )
        language = prompt_language(prompt.question)
        if not ranked or ranked[0][0] < self.config.least_coverage:
            yield REFUSALS[language]
            return
        enough = self.config.least_share * ranked[0][0]
        fitting = {" ".join(index.sentences[i].text.split()): i for score, i in reversed(ranked) if score >= enough}
        fitting_now = _newest([i for _, i in ranked if i in fitting.values()], index, prompt)  # equal ones once
        chosen = fitting_now[: self.config.most_sentences]
        best = [index.sentences[i] for i in chosen]
        for n, sentence in enumerate(sorted(best, key=lambda s: (s.number, s.span))):
            blank = " " if n and language == "en" else ""
            yield f"{blank}{' '.join(sentence.text.split())}[{sentence.number}]"

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield nothing: there is no model."""
        yield from ()

    def count_tokens(self, text: str) -> int:
        """Estimate from above."""
        return estimate_tokens(text)


def _newest(ranked: Sequence[int], index: EvidenceIndex, prompt: Prompt) -> list[int]:
    """Leave out what an older edition says where a newer one answers too, unless the question looks back."""
    hits = {i: prompt.passages[index.sentences[i].number - 1] for i in ranked}
    answering = {hit.source for hit in hits.values()}
    if looks_back(prompt.question):
        return list(ranked)
    return [i for i in ranked if hits[i].newer_edition not in answering]


def _score(index: EvidenceIndex, sentence: Sentence) -> float:
    """Coverage of the question by the sentence; what only its surroundings cover counts a third."""
    own = index.weights.coverage(index.question, sentence.terms)
    around = index.weights.coverage(index.question, sentence.terms | sentence.context)
    return own + (around - own) / 3
