"""A question and what a model is shown in, how much one sentence of it speaks of what is asked out. Knows no model.

One sentence, as it stands under its title and headings: words scattered over passages answer nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.condense import Excerpt, Relevance
from generation.fit import question_fit
from generation.matching import surface_of, weights_of
from generation.short_claims import states_range_of
from ingest.language import has_cjk


@dataclass(frozen=True, slots=True)
class Signals:
    """Of the sentence nearest to the question: the share of the question's `words` that it holds, from 0 to 1, and its
    `closeness` in meaning, None where the embedder has no say. `stated` is the model's share of Yes, None where it
    wasn't asked or didn't say.
    """

    words: float
    closeness: float | None = None
    stated: float | None = None


def signals_of(queries: Sequence[str], excerpts: Sequence[Excerpt], relevance: Relevance | None) -> Signals | None:
    """Give the signals but the model's; None where the nearest sentence is in another language than each query, so that
    no words can be compared, and where one states a range that the asked amount lies in, which is in other words.

    Asks for the closeness of texts that `condense` asked for.
    """
    shown = [(_label(e), span.of(e.hit.chunk.text)) for e in excerpts for span in e.spans]
    if any(states_range_of(query, text) for query in queries for _, text in shown):
        return None
    weights = weights_of(surface_of(text) for _, text in shown)
    labelled = [f"{label}\n{text}" for label, text in shown]
    found: list[tuple[float, Signals | None]] = []
    for query in queries if labelled else ():
        words = np.array([question_fit(query, text, weights) for text in labelled])  # (n_sentences,)
        close = relevance(query, labelled) if relevance else np.zeros(len(labelled))  # (n_sentences,)
        at = int(np.argmax(words + close))
        signals = Signals(float(words[at]), float(close[at]) if np.any(close) else None)
        found.append((float(words[at] + close[at]), signals if has_cjk(shown[at][1]) == has_cjk(query) else None))
    return max(found, key=lambda entry: entry[0])[1] if found else None


def _label(excerpt: Excerpt) -> str:
    return " > ".join(dict.fromkeys((excerpt.hit.title, *excerpt.hit.chunk.headings)))
